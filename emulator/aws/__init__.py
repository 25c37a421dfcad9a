"""What moto lacks or gets wrong."""
