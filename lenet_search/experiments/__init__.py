"""Recipes trained on several seeds, side by side: how good are they, which of them differ, and how much is luck?"""
