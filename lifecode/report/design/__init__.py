"""The page of designed coding sequences."""
