"""What is bought of somebody outside: airtime and content, and how each purchase comes to an
end that is known."""
