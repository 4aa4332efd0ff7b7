# The first stage installs, the second has only what runs.
FROM python:3.11.13-slim-bookworm AS build

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH

COPY pyproject.toml constraints.txt README.md LICENSE NOTICE /src/
# By itself and first, as in the Makefile: this layer is large and changes seldom.
RUN pip install "$(grep '^torch==' /src/constraints.txt)" -c /src/constraints.txt

COPY agents /src/agents
COPY knowledge_base /src/knowledge_base
COPY services /src/services
RUN pip install /src -c /src/constraints.txt && python -m compileall -q /venv


FROM python:3.11.13-slim-bookworm

# A number, so that a platform can tell that it is not root.
RUN useradd --create-home --uid 1000 touchstone
COPY --from=build /venv /venv

USER 1000:1000
WORKDIR /home/touchstone
# Volumes mounted here take over these folders' owner.
RUN mkdir state data
# Everything else may be read-only: caches go to /tmp.
ENV PATH=/venv/bin:$PATH \
    TOUCHSTONE_HOME=/home/touchstone/state \
    XDG_CACHE_HOME=/tmp/cache \
    HF_HUB_OFFLINE=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1

STOPSIGNAL SIGTERM
ENTRYPOINT ["touchstone"]
CMD ["--help"]
