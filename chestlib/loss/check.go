package loss

import (
	"fmt"
	"math"
)

// Check returns what NewCHEST would panic with, nil if the options are sound.
// Options of a space not in use are not looked at. It is for callers that got
// the options from somebody else.
func (o CHESTOptions) Check() error {
	o = o.withDefaults()
	if o.Space < Both || o.Space > OnlyH {
		return fmt.Errorf("loss: CHEST: %v is not a space", o.Space)
	}
	for _, err := range []error{
		notNegative("CHEST", "WeightE", o.WeightE), notNegative("CHEST", "WeightH", o.WeightH), notNegative("CHEST", "WeightTree", o.WeightTree),
	} {
		if err != nil {
			return err
		}
	}
	if o.Space == Both && !o.NoTree && o.Tree.Leaves == ProxyLeaves && o.E.Proxies != o.H.Proxies {
		return fmt.Errorf("loss: CHEST: E.Proxies is %d, H.Proxies %d: make them equal or set NoTree or Tree.Leaves to MeanLeaves", o.E.Proxies, o.H.Proxies)
	}
	if o.Space != OnlyH {
		if err := o.E.check(); err != nil {
			return err
		}
	}
	if o.Space != OnlyE {
		if err := o.H.check(); err != nil {
			return err
		}
	}
	if o.NoTree {
		return nil
	}
	return o.Tree.check()
}

// check finds options, with their defaults, that make no sense.
func (o SoftTripleOptions) check() error {
	return assignmentCheck("SoftTriple", o.Lambda, o.Gamma, o.Delta, o.Tau, o.Proxies)
}

// check finds options, with their defaults, that make no sense.
func (o HyperSoftTripleOptions) check() error {
	if err := assignmentCheck("HyperSoftTriple", o.Lambda, o.Gamma, o.Delta, o.Tau, o.Proxies); err != nil {
		return err
	}
	if !(o.Curvature >= 0) || math.IsInf(o.Curvature, 1) {
		return fmt.Errorf("loss: HyperSoftTriple: Curvature is %g; want a number above 0 (it is c, minus the curvature)", o.Curvature)
	}
	if math.IsNaN(o.Clip) || math.IsInf(o.Clip, 0) {
		return fmt.Errorf("loss: HyperSoftTriple: Clip is %g; want a radius (0 means 2.3, negative means none)", o.Clip)
	}
	return o.Similarity.check(o.radius())
}

// check finds options, with their defaults, that make no sense.
func (o HypHCOptions) check() error {
	if o.Triplets < 1 {
		return fmt.Errorf("loss: HypHC: Triplets is %d; want a positive number (0 means its default)", o.Triplets)
	}
	if o.Leaves < ProxyLeaves || o.Leaves > MeanLeaves {
		return fmt.Errorf("loss: HypHC: %v is no kind of leaves", o.Leaves)
	}
	if o.Sampling < UniformTriplets || o.Sampling > NearTriplets {
		return fmt.Errorf("loss: HypHC: %v is no way to draw triplets", o.Sampling)
	}
	if o.Candidates < 1 || o.AnnealEvery < 1 {
		return fmt.Errorf("loss: HypHC: Candidates is %d, AnnealEvery %d; want positive numbers (0 means the default)", o.Candidates, o.AnnealEvery)
	}
	if err := positive("HypHC", "Anneal", o.Anneal); err != nil {
		return err
	}
	return positive("HypHC", "Temperature", o.Temperature)
}

// assignmentCheck finds what is wrong with the options that both SoftTriple
// losses have.
func assignmentCheck(name string, lambda, gamma, delta, tau float64, proxies int) error {
	if err := positive(name, "Lambda", lambda); err != nil {
		return err
	}
	if err := positive(name, "Gamma", gamma); err != nil {
		return err
	}
	if math.IsNaN(delta) || math.IsInf(delta, 0) {
		return fmt.Errorf("loss: %s: Delta is %g; want a number (0 means its default, negative means none)", name, delta)
	}
	if proxies < 1 {
		return fmt.Errorf("loss: %s: Proxies is %d; want a positive number (0 means its default)", name, proxies)
	}
	return notNegative(name, "Tau", tau)
}

// positive returns an error unless v is finite and above 0.
func positive(name, option string, v float64) error {
	if !(v > 0) || math.IsInf(v, 1) {
		return fmt.Errorf("loss: %s: %s is %g; want a positive number (0 means its default)", name, option, v)
	}
	return nil
}

// notNegative returns an error unless v is finite and at least 0.
func notNegative(name, option string, v float64) error {
	if !(v >= 0) || math.IsInf(v, 1) {
		return fmt.Errorf("loss: %s: %s is %g; want a number that is not negative", name, option, v)
	}
	return nil
}

// must panics with err unless it is nil: wrong options are a bug of the caller.
func must(err error) {
	if err != nil {
		panic(err.Error())
	}
}
