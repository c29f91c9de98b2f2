// Package echarts holds the Apache ECharts library, version 6.1.0, as one
// embedded file, so that a picture is interactive without a network.
//
// echarts.min.js is the file of the npm package echarts@6.1.0, unchanged
// (Apache-2.0; LICENSE, NOTICE and LICENSE-d3 stand beside it).
package echarts

import _ "embed"

// Version is the version of the embedded library.
const Version = "6.1.0"

// FileName is the name under which the library lies beside a kernelspec, where
// Jupyter serves it.
const FileName = "echarts.min.js"

// Library is the whole library: JavaScript, 1.1 MB.
//
//go:embed echarts.min.js
var Library string
