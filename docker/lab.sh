#!/bin/sh
# lab.sh USER UID: JupyterLab of Debian 13 and an ordinary user, on a Debian without
# either. Both Dockerfiles run it; chest itself is put in afterwards, so that a change
# of chest does not install JupyterLab anew.
#
# Debian's jupyterlab depends on the 540 packages of Node from which its page was built,
# 800 MB. The page is in the package and needs none of them: what serves it is installed
# as usual, then the package is unpacked without what is Node's.
set -eu
user=$1
uid=$2
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y --no-install-recommends ca-certificates tini jupyter-core jupyter-client jupyter-nbconvert \
	python3-jupyterlab-server python3-jupyter-server python3-notebook-shim python3-async-lru
work=$(mktemp -d)
cd "$work"
apt-get -o APT::Sandbox::User=root download jupyterlab
dpkg-deb --fsys-tarfile jupyterlab_*.deb | tar -x -C / ./etc/jupyter ./usr/bin ./usr/lib/python3 ./usr/share/jupyter ./usr/share/doc/jupyterlab
cd /
rm -rf "$work" /var/lib/apt/lists/*
py3compile /usr/lib/python3/dist-packages/jupyterlab
# There is no kernel of Python, and none is missed: chest is the one of new notebooks.
cat >/etc/jupyter/jupyter_config.json <<'JSON'
{"KernelSpecManager": {"ensure_native_kernel": false}, "MultiKernelManager": {"default_kernel_name": "chest"}}
JSON
# No question whether one wants news of Jupyter: there may be no network.
mkdir -p /etc/jupyter/labconfig
cat >/etc/jupyter/labconfig/page_config.json <<'JSON'
{"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}
JSON
useradd --create-home --shell /bin/bash --uid "$uid" --comment "Default user" "$user"
