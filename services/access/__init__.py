"""Who may do what: API keys with scopes, rate limits, and a chained record of who did what."""
