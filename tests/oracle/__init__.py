"""A second, naive hand for every number: quadratic passes over a small log, written from the
definitions alone and sharing no code with the product.
"""
