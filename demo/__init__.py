"""The demo city and the story: the only place that sees both sides of the city, and uses each as its users do."""
