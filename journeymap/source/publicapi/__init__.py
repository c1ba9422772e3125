"""The platform's public REST APIs, for whoever needs them: one token and one budget of requests for all."""
