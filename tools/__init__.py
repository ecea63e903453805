"""What the project needs around the product: setting it up, and checking its texts."""
