"""Who someone is: known answers, and what happens to those who hold something slightly different."""
