"""What Genesys Cloud's public APIs say of conversations, as one kind of fact (docs/normalisation.md). Pure."""
