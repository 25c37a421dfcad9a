"""What makes the emulated service real: dataset store, recipes, metrics, batch. Knows nothing about moto."""
