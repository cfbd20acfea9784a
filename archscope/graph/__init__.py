"""What runs, with every size known: nodes in running order, the tensors between them, the scopes they run in.

Spec --lowering--> Graph;  capturing makes the same Graph of any nn.Module
"""
