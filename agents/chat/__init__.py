"""Chat models as workers and as the manager: what they are asked, what of their replies is believed, what it costs."""
