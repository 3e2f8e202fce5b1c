"""What a site's own tests are given."""
