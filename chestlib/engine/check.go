package engine

import "github.com/chestlab/chest/chestlib/loss"

// Check finds lengths and labels of a batch that do not fit: for engines of
// other packages. dE and dH are the dimensions of the spaces in use, 0 for one that
// is not.
func Check(b loss.Batch, dE, dH, classes int) error {
	train := b.GE != nil || b.GH != nil
	if dE > 0 {
		if err := fits("E", b.E, b.GE, len(b.Label), dE, train); err != nil {
			return err
		}
	}
	if dH > 0 {
		if err := fits("H", b.H, b.GH, len(b.Label), dH, train); err != nil {
			return err
		}
	}
	return checkLabels(b.Label, classes)
}
