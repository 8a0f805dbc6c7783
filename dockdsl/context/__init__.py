"""What a build is sent: ignore files, links and wildcards, as BuildKit reads them."""
