package echarts

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"sync"
)

// PackedScript returns a script of 0.5 MB that does what InlineScript does, a
// moment later: it holds the library compressed, and the browser unpacks it. One
// without DecompressionStream (Chrome 80, Firefox 113 and Safari 16.4 have it)
// keeps the pictures. It is safe inside <script>, and a policy that allows
// inline scripts allows it.
func PackedScript() string { return packedScript() }

var packedScript = sync.OnceValue(func() string {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is known
	z.Write([]byte(closed(Library)))                      // to memory: it cannot fail
	z.Close()
	return "(function(){" + shared + `
if(w.echarts||!window.DecompressionStream){return;}
var text=atob("` + base64.StdEncoding.EncodeToString(b.Bytes()) + `"),bytes=new Uint8Array(text.length);
for(var i=0;i<text.length;i++){bytes[i]=text.charCodeAt(i);}
new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text().then(function(source){
  var script=document.createElement("script");
  script.textContent="window.__chestviz.install(function(define,exports,module){"+source+"\n});";
  document.head.appendChild(script).remove();
}).catch(function(e){console.warn("chest: no chart library, the pictures stay:",e.message);});
})();`
})
