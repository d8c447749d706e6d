"""The user's async function: found, checked, hashed, opened."""
