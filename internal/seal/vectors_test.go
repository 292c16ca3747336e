package seal

// Made once by this package, and kept: see TestVectors.
const (
	vectorHash   = "W78K3sqWuS-BfCwXc2CrtCauBNnwrUJxcIFYyOjU0OQ"
	vectorSealed = "016a97ce9d161a9fccac377d05c4b63b4df7592c8f0c7c64455d3ea3418d5b8f2094"
)
