"""What a web worker keeps in memory; follows the store."""
