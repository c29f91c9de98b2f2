package echarts

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"strings"
)

// Loader returns a script that draws one chart in place of what the element
// called id holds, as soon as the library is in the page. Until then, and for
// ever where the library cannot come, the element keeps its content: a picture.
//
// option is the chart's option as JSON. A non-empty key names a live chart:
// when a later element comes with the same key, the canvas moves there and
// takes the new option, so nothing is built anew and nothing flickers.
//
// Where the library comes from, in this order: it is in the page already
// (InlineScript, or an earlier chart); else, in a page that Jupyter serves, it
// is fetched once from <base>kernelspecs/chest/; else charts wait in a queue
// that InlineScript empties.
//
// The text is safe inside <script>: every <, >, & and line separator in id,
// key and option is escaped.
func Loader(id, key string, option []byte) string { return load(id, key, option, "null") }

// DiskLoader is Loader for charts with disks in them: their points come to the
// centre by a click, packed points are unpacked, and tooltips show images. It
// reads the key "chest" of each series and takes it out of the option.
func DiskLoader(id string, option []byte) string {
	return load(id, "", option, strings.TrimSpace(diskScript))
}

//go:embed disk.js
var diskScript string

// load fills in the loader. script is a function that gets the option before it
// is drawn, and the library, and returns one that gets the chart.
func load(id, key string, option []byte, script string) string {
	return strings.NewReplacer(
		"$ID", quote(id), "$KEY", quote(key), "$FILE", quote(FileName),
		"$OPTION", inert(option), "$SHARED", shared, "$SCRIPT", script,
	).Replace(loader)
}

// InlineScript returns a script of 1.1 MB that holds the library and draws all
// charts of the page, whether they stand before it or after it. A second one
// in the same page does nothing. It is safe inside <script>.
func InlineScript() string {
	return "(function(){" + shared + "\nif(w.echarts){return;}\nw.install(function(define,exports,module){\n" +
		closed(Library) + "\n});\n})();"
}

// shared makes the one object that the charts of a page share:
//
//	echarts   the library, once it is there
//	waiting   charts to draw then
//	live      key → {chart, node} of the live charts
//
// The library looks for AMD and CommonJS loaders first, which classic Notebook
// and exported pages have; they are hidden from it by parameters of the same
// names. A page's own global echarts is put back.
const shared = `var w=window.__chestviz;
if(!w){
  w=window.__chestviz={echarts:null,waiting:[],live:{},fetching:false};
  w.install=function(run){
    var had="echarts" in window,own=window.echarts;
    run.call(window);
    w.echarts=window.echarts;
    if(had){window.echarts=own;}
    w.waiting.splice(0).forEach(function(draw){draw();});
  };
}`

// loader is the script of one chart. A front end may run it shortly before the
// element is in the page, so it looks for it a few times.
const loader = `(function(){
$SHARED
var id=$ID,key=$KEY,option=$OPTION,script=$SCRIPT;
function draw(tries){
  var el=document.getElementById(id),live=key&&w.live[key];
  if(!el){
    if(tries>0){setTimeout(function(){draw(tries-1);},50);}
    return;
  }
  if(live){
    el.replaceWith(live.node);
    live.node.id=id;
    live.chart.setOption(option);
    return;
  }
  var picture=Array.from(el.childNodes),chart=null;
  try{
    el.replaceChildren();
    chart=w.echarts.init(el);
    var then=script&&script(option,w.echarts);
    chart.setOption(option);
    if(then){then(chart);}
  }catch(e){
    try{chart.dispose();}catch(half){} // half built, it may not even end well
    el.replaceChildren.apply(el,picture);
    console.error("chest: the chart cannot be drawn, its picture stays:",e);
    return;
  }
  if(key){w.live[key]={chart:chart,node:el};}
  if(window.ResizeObserver){new ResizeObserver(function(){chart.resize();}).observe(el);}
}
if(w.echarts){draw(20);return;}
w.waiting.push(function(){draw(20);});
if(w.fetching||location.protocol==="file:"){return;}
var config=document.getElementById("jupyter-config-data"),
    base=document.body.dataset.baseUrl||(config&&JSON.parse(config.textContent).baseUrl);
if(!base){return;}
w.fetching=true;
fetch(base+"kernelspecs/chest/"+$FILE,{credentials:"same-origin"}).then(function(answer){
  if(!answer.ok){throw new Error("HTTP status "+answer.status);}
  return answer.text();
}).then(function(source){
  if(!w.echarts){w.install(new Function("define","exports","module",source));}
}).catch(function(e){
  w.fetching=false;
  console.warn("chest: no chart library, the pictures stay:",e.message);
});
})();`

// quote returns s as a JavaScript string that is safe inside <script>.
func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic("echarts: " + err.Error()) // a string always has a JSON form
	}
	return string(b)
}

// inert escapes in a JSON text what could end a script element or a line.
func inert(option []byte) string {
	var b bytes.Buffer
	json.HTMLEscape(&b, option)
	return b.String()
}

// closed keeps a program from ending or hiding its script element. Both
// sequences can stand only in strings, templates and regular expressions of a
// program, where the backslash changes nothing.
func closed(program string) string {
	return strings.NewReplacer("</script", `<\/script`, "</SCRIPT", `<\/SCRIPT`, "<!--", `<\!--`).Replace(program)
}
