"""Schedules as a request has them: their expressions, and what EventBridge Scheduler is asked for."""
