"""Commands on layers that hold displacement fields."""
