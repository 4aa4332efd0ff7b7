"""A scripted endpoint: the OpenAI chat API over real HTTP, answered by a plain function, misbehaving as it is told.

It measures the machinery and the algorithm, never a model: what it says of a text is whatever its answer function says.
"""
