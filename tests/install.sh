#!/bin/sh
# Installs what the tests need beside Go: Jupyter's nbconvert, which runs a
# notebook through the installed kernelspec, the conformance suite for kernels,
# the classic notebook, and Chromium, which opens it and the exported pages; g++,
# which builds the fake GPU, and clang-19, which compiles the GPU's kernels; npm,
# which fetches JupyterLab's renderer of outputs; a small LaTeX (some 150 MB), which
# sets exported notebooks, tables and reports, and pandoc (some 170 MB), by which
# nbconvert writes the LaTeX that they are compared with; with CHEST_SLURM=1 Slurm and
# munge, of which a test starts a private cluster; with CHEST_PACKAGING=1 Docker's engine
# (some 250 MB), which builds the images, and mmdebstrap, which makes pristine Debians.
# Does nothing where they are there already.
set -eu
missing=""
command -v jupyter-nbconvert >/dev/null 2>&1 || [ -x /usr/bin/jupyter-nbconvert ] || missing="$missing jupyter-nbconvert"
[ -d /usr/lib/python3/dist-packages/jupyter_kernel_test ] || python3 -c "import jupyter_kernel_test" 2>/dev/null || missing="$missing python3-jupyter-kernel-test"
command -v jupyter-notebook >/dev/null 2>&1 || [ -x /usr/bin/jupyter-notebook ] || missing="$missing jupyter-notebook"
command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || missing="$missing chromium"
command -v g++ >/dev/null 2>&1 || missing="$missing g++"
command -v clang-19 >/dev/null 2>&1 || missing="$missing clang-19"
command -v npm >/dev/null 2>&1 || missing="$missing nodejs npm"
command -v pdflatex >/dev/null 2>&1 && kpsewhich booktabs.sty >/dev/null 2>&1 || missing="$missing texlive-latex-recommended"
command -v pandoc >/dev/null 2>&1 || missing="$missing pandoc"
if [ "${CHEST_SLURM:-}" = 1 ]; then
	command -v slurmctld >/dev/null 2>&1 && command -v slurmd >/dev/null 2>&1 && command -v sbatch >/dev/null 2>&1 || missing="$missing slurm-wlm"
	command -v munged >/dev/null 2>&1 || missing="$missing munge"
fi
if [ "${CHEST_PACKAGING:-}" = 1 ]; then
	command -v dockerd >/dev/null 2>&1 || missing="$missing docker.io"
	command -v mmdebstrap >/dev/null 2>&1 || missing="$missing mmdebstrap"
	[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing="$missing debian-archive-keyring" # on Ubuntu
fi
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
	echo "tests: not a Debian system; install by hand:$missing (the tests that need them will be skipped)" >&2
	exit 0
fi
sudo=""
if [ "$(id -u)" != 0 ]; then
	sudo="sudo"
	command -v sudo >/dev/null 2>&1 || { echo "tests: need root to install:$missing (the tests that need them will be skipped)" >&2; exit 0; }
fi
echo "tests: installing$missing"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
if ! apt-cache show clang-19 >/dev/null 2>&1; then # an older or newer Debian
	missing=$(echo "$missing" | sed 's/ clang-19//')
fi
# No service starts by itself because it was installed.
policy=/usr/sbin/policy-rc.d
[ -e "$policy" ] && policy=""
[ -z "$policy" ] || printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
[ -z "$policy" ] || $sudo chmod 755 "$policy"
status=0
$sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null || status=$?
[ -z "$policy" ] || $sudo rm -f "$policy"
exit $status
