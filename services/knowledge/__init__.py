"""The knowledge base that grows: what people add and approve, over the criteria that come with the project."""
