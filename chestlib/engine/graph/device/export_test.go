package device

// ForEngine makes the next runs those of an engine: values says that no gradients are
// wanted, and values that are not finite are no error.
func (n *Net) ForEngine(values bool) { n.values, n.inf = values, true }
