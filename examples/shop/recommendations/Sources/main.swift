print("recommendations")
