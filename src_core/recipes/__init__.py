"""What is done with a recipe: the same result again, its field on other images, its code."""
