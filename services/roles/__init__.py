"""The roles that a deployment's processes play: worker, scheduler, API, and one command that plays all of them."""
