"""The server for editors: findings while one types, quick fixes, and the pages of rules."""
