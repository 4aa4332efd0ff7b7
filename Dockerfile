FROM python:3.11-slim

RUN useradd --create-home --uid 1000 touchstone
WORKDIR /home/touchstone

COPY pyproject.toml constraints.txt README.md LICENSE NOTICE /src/
# By itself and first, as in the Makefile: this layer is large and changes seldom.
RUN pip install --no-cache-dir "$(grep '^torch==' /src/constraints.txt)" -c /src/constraints.txt

COPY agents /src/agents
COPY knowledge_base /src/knowledge_base
COPY services /src/services
RUN pip install --no-cache-dir /src -c /src/constraints.txt && rm -rf /src

USER touchstone
# A volume mounted here takes over this folder's owner.
RUN mkdir state data
ENV TOUCHSTONE_HOME=/home/touchstone/state PYTHONUNBUFFERED=1

ENTRYPOINT ["touchstone"]
CMD ["--help"]
