package backbone

import (
	"fmt"
	"strings"

	"github.com/chestlab/chest/chestlib/model"
)

// NormEps is what model.Options.NormEps must be for weights of Start.
const NormEps = vitEps

// Start gives the trunk of a model, or both, the weights of a published vision
// transformer, to be trained on; the heads stay as they are. The model must
// have the trunk "vit" for images of three channels and NormEps 1e-6; its other
// sizes, which are those of ViT-S/16 by default, must be the weights'.
//
//	m, err := model.New(model.Shape{C: 3, H: 224, W: 224}, model.Options{Trunk: "vit", NormEps: backbone.NormEps})
//	err = backbone.Start(m, "dino_vits16.safetensors")
//
// weights are looked for and checked as OpenViT does. After an error the model
// is as it was.
func Start(m *model.Model, weights string) error {
	o, in := m.Options(), m.In()
	switch {
	case o.Trunk != "vit":
		return fmt.Errorf("backbone: Start: the model's trunk is %q; only \"vit\" can be given published weights", o.Trunk)
	case in.C != 3:
		return fmt.Errorf("backbone: Start: the model takes images of %v; published weights want 3 channels", in)
	case o.NormEps != NormEps:
		return fmt.Errorf("backbone: Start: the model's NormEps is %g; published weights want model.Options{NormEps: %g}", o.NormEps, NormEps)
	}
	sizes, err := ViTOptions{H: in.H, W: in.W, Patch: o.Patch, Width: o.Width, Depth: o.Depth, Heads: o.Heads}.filled()
	if err != nil {
		return err
	}
	f, err := open("vit", weights)
	if err != nil {
		return err
	}
	defer f.close()
	t, err := sizes.take(f)
	if err != nil {
		return err
	}
	for _, p := range m.Params() {
		trunk, name, _ := strings.Cut(p.Name, ".")
		if !strings.HasPrefix(trunk, "trunk") {
			continue
		}
		x, ok := t[timmName(name)]
		if !ok || len(x) != len(p.Value) {
			panic("backbone: Start: no weights for " + p.Name) // the sizes are the same
		}
		copy(p.Value, x)
	}
	return nil
}

// parts are the names of parts of a model's trunk and timm's.
var parts = strings.NewReplacer(
	"embed.class", "cls_token", "embed.position", "pos_embed", "embed.", "patch_embed.proj.",
	"attention.qkv", "attn.qkv", "attention.out", "attn.proj", "up.", "mlp.fc1.", "down.", "mlp.fc2.", "gain", "weight",
)

// timmName is the name that timm has for a param of a trunk "vit", less its first
// part: "block1.norm1.gain" is "blocks.0.norm1.weight".
func timmName(name string) string {
	var block int
	if _, err := fmt.Sscanf(name, "block%d.", &block); err == nil {
		_, rest, _ := strings.Cut(name, ".")
		return fmt.Sprintf("blocks.%d.%s", block-1, parts.Replace(rest))
	}
	return parts.Replace(name)
}
