"""Recipes trained on several seeds, side by side: how good are they, how do they differ, and how much is luck?"""
