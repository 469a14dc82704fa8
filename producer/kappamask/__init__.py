"""KappaMask v2.4: its networks, their weights, and the chain from digital numbers to classes.

M. Domnich et al., "KappaMask: AI-Based Cloudmask Processor for Sentinel-2", Remote Sensing
13 (20), 2021; the numbers are those of km_predict 2.4.0 and cm-vsm 0.3.7 of KappaZeta.
"""
