"""A typed client of the API (`services.client.client`): what commands use where `TOUCHSTONE_URL` is set."""
