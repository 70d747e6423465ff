"""What a recipe is good for: the same bits again, on other images, or as code."""
