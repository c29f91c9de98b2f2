package latex

import "fmt"

// letters are those beyond ASCII that LaTeX's own fonts have or compose.
const letters = "¡£¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝßàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿ" +
	"ĀāĂăĆćĈĉĊċČčĎĒēĔĕĖėĚěĜĝĞğĠġĢĤĥĨĩĪīĬĭİıĴĵĶķĹĺĻļŁłŃńŅņŇňŌōŎŏŐőŒœŔŕŖŗŘřŚśŜŝŞşŠšŢţŤŨũŪūŬŭŮůŰűŴŵŶŷŸŹźŻżŽž"

// words are signs that text has a command for. None has a - within: in Verbatim
// that is a command itself.
var words = map[rune]string{
	'\u00a0': "~", '–': `\textendash{}`, '—': `\textemdash{}`, '‐': "-", '‑': "-", '…': `\ldots{}`,
	'‘': `\textquoteleft{}`, '’': `\textquoteright{}`, '“': `\textquotedblleft{}`, '”': `\textquotedblright{}`,
	'§': `\S{}`, '¶': `\P{}`, '©': `\copyright{}`, '†': `\dag{}`, '‡': `\ddag{}`, '°': `\textsuperscript{\ensuremath{\circ}}`,
	'─': `\rule[.55ex]{.5em}{.04em}`, '━': `\rule[.5ex]{.5em}{.08em}`, '═': `\rule[.5ex]{.5em}{.08em}`,
	'│': `\ensuremath{\vert}`, '┃': `\ensuremath{\Vert}`,
	'█': `\rule{.5em}{.65em}`, '■': `\rule{.5em}{.5em}`,
	'░': `\textcolor{black!20}{\rule{.5em}{.65em}}`, '▒': `\textcolor{black!45}{\rule{.5em}{.65em}}`,
	'▓': `\textcolor{black!70}{\rule{.5em}{.65em}}`, '□': `\ensuremath{\square}`,
}

// signs are those that mathematics has a command for.
var signs = map[rune]string{
	'±': `\pm`, '∓': `\mp`, '×': `\times`, '÷': `\div`, '·': `\cdot`, '⋅': `\cdot`, '∙': `\cdot`, '•': `\bullet`, '∘': `\circ`, '√': `\surd`,
	'−': `-`, '≤': `\leq`, '≥': `\geq`, '≠': `\neq`, '≈': `\approx`, '≡': `\equiv`, '∼': `\sim`, '≃': `\simeq`, '∝': `\propto`,
	'≪': `\ll`, '≫': `\gg`, '«': `\ll`, '»': `\gg`, '∞': `\infty`, '∂': `\partial`, '∇': `\nabla`,
	'∑': `\sum`, '∏': `\prod`, '∫': `\int`, '∈': `\in`, '∉': `\notin`, '∋': `\ni`, '∅': `\emptyset`,
	'∪': `\cup`, '∩': `\cap`, '⊂': `\subset`, '⊆': `\subseteq`, '⊃': `\supset`, '⊇': `\supseteq`, '∖': `\setminus`,
	'∀': `\forall`, '∃': `\exists`, '¬': `\neg`, '∧': `\wedge`, '∨': `\vee`, '⊕': `\oplus`, '⊖': `\ominus`, '⊗': `\otimes`, '⊙': `\odot`,
	'→': `\rightarrow`, '←': `\leftarrow`, '↔': `\leftrightarrow`, '↑': `\uparrow`, '↓': `\downarrow`, '↦': `\mapsto`,
	'⇒': `\Rightarrow`, '⇐': `\Leftarrow`, '⇔': `\Leftrightarrow`, '↪': `\hookrightarrow`, '▸': `\triangleright`, '▶': `\triangleright`,
	'‖': `\|`, '∥': `\|`, '⟨': `\langle`, '⟩': `\rangle`, '⌊': `\lfloor`, '⌋': `\rfloor`, '⌈': `\lceil`, '⌉': `\rceil`,
	'′': `\prime`, '″': `\prime\prime`, 'ℓ': `\ell`, 'ℏ': `\hbar`, '⊤': `\top`, '⊥': `\perp`, '∠': `\angle`, '★': `\star`, '☆': `\star`,
	'ℝ': `\mathbb{R}`, 'ℍ': `\mathbb{H}`, 'ℕ': `\mathbb{N}`, 'ℤ': `\mathbb{Z}`, 'ℚ': `\mathbb{Q}`, 'ℂ': `\mathbb{C}`, '𝔹': `\mathbb{B}`, '𝔻': `\mathbb{D}`, '𝔼': `\mathbb{E}`,
	'✓': `\checkmark`, '✔': `\checkmark`, '✗': `\times`, '✘': `\times`, '☐': `\square`, '☑': `\boxtimes`, 'µ': `\mu`, '½': `\frac12`, '¼': `\frac14`, '¾': `\frac34`,
}

// raised and lowered are the exponents and indices that are characters.
var raised, lowered = map[rune]rune{'¹': '1', '²': '2', '³': '3', '⁰': '0', '⁺': '+', '⁻': '-', 'ⁿ': 'n', 'ⁱ': 'i', 'ᵀ': 'T'},
	map[rune]rune{'₊': '+', '₋': '-', 'ᵢ': 'i', 'ⱼ': 'j', 'ₖ': 'k', 'ₙ': 'n', 'ₘ': 'm', 'ₓ': 'x', 'ₐ': 'a', 'ₑ': 'e', 'ₚ': 'p', 'ₛ': 's', 'ₜ': 't'}

// greek are the small letters from α on, the sign for a letter that Latin has.
var greek = [...]string{
	`\alpha`, `\beta`, `\gamma`, `\delta`, `\varepsilon`, `\zeta`, `\eta`, `\theta`, `\iota`, `\kappa`, `\lambda`, `\mu`, `\nu`,
	`\xi`, `o`, `\pi`, `\rho`, `\varsigma`, `\sigma`, `\tau`, `\upsilon`, `\varphi`, `\chi`, `\psi`, `\omega`,
}

// capitals are the capital letters from Α on; there is none at ς's place.
var capitals = [...]string{
	`\mathrm{A}`, `\mathrm{B}`, `\Gamma`, `\Delta`, `\mathrm{E}`, `\mathrm{Z}`, `\mathrm{H}`, `\Theta`, `\mathrm{I}`, `\mathrm{K}`, `\Lambda`,
	`\mathrm{M}`, `\mathrm{N}`, `\Xi`, `\mathrm{O}`, `\Pi`, `\mathrm{P}`, ``, `\Sigma`, `\mathrm{T}`, `\Upsilon`, `\Phi`, `\mathrm{X}`, `\Psi`, `\Omega`,
}

func init() {
	for i, c := range greek {
		signs['α'+rune(i)] = c
	}
	for i, c := range capitals {
		if c != "" {
			signs['Α'+rune(i)] = c
		}
	}
	signs['ϕ'], signs['ϵ'], signs['ϑ'] = `\phi`, `\epsilon`, `\vartheta`
	for i := range 10 {
		if i > 3 {
			raised['⁰'+rune(i)] = '0' + rune(i)
		}
		lowered['₀'+rune(i)] = '0' + rune(i)
	}
	for i := range 7 { // ▉ to ▏: from seven eighths of a block to one
		words['▉'+rune(i)] = fmt.Sprintf(`\makebox[.5em][l]{\rule{.%04dem}{.65em}}`, (7-i)*625)
	}
	for _, r := range "┌┐└┘├┤┬┴┼╔╗╚╝╠╣╦╩╬╭╮╰╯" {
		words[r] = "+"
	}
	words['║'] = words['┃']
}
