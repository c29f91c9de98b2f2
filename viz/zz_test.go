package viz
import ("testing";"os";"fmt";"strings";"encoding/json";"github.com/go-echarts/go-echarts/v2/charts";"github.com/go-echarts/go-echarts/v2/opts";"github.com/chestlab/chest/internal/echarts")
func TestZZ(t *testing.T){
 r:=notebook(t); _=r
 // live sequence: outputs inserted one after another into the same place as classic does
 l:=NewLive(LiveOptions{Names:[]string{"loss","acc"},Right:[]bool{false,true},Curve:CurveOptions{Title:"live"}})
 var hs []string
 l.id="x"
 for i:=range 30 { l.series[0].X=append(l.series[0].X,float64(i)); l.series[0].Y=append(l.series[0].Y,1/float64(i+1)); l.series[1].X=append(l.series[1].X,float64(i)); l.series[1].Y=append(l.series[1].Y,float64(i)/30)
  hs=append(hs,l.bundle(l.figure(),i==29)["text/html"].(string)) }
 j,_:=json.Marshal(hs)
 page:=func(pre,body string) string {return "<!doctype html><meta charset=utf-8><script>window.define=function(){throw new Error('mismatched anonymous define')};window.define.amd={};window.exports={};window.module={exports:{}};window.echarts='mine';"+pre+"</script><body data-base-url=\"/base/\">"+body}
 run:=`<div id=out></div><script>
 var inits=0; var hs=`+string(j)+`;
 function put(h){var o=document.getElementById('out');o.innerHTML=h;Array.from(o.querySelectorAll('script')).forEach(function(s){var c=document.createElement('script');c.textContent=s.textContent;o.appendChild(c);s.remove();});}
 var k=0;function step(){ if(window.__chestviz&&window.__chestviz.echarts&&!window.__patched){window.__patched=true;var e=window.__chestviz.echarts,oi=e.init;window.__chestviz.echarts=Object.assign({},e,{init:function(a){inits++;return oi.call(e,a)}})} if(k<hs.length){put(hs[k++]);setTimeout(step,60)}else{setTimeout(function(){console.log('DONE inits',inits,'canvas',document.querySelectorAll('#out canvas').length,'img',document.querySelectorAll('#out img').length,'echarts',window.echarts, 'live', Object.keys(window.__chestviz.live).length)},1500)}} setTimeout(step,10);</script>`
 os.WriteFile("/tmp/viz/live.html",[]byte(page("","<script>"+echarts.InlineScript()+"</script>"+run)),0o644)
 os.MkdirAll("/tmp/viz/base/kernelspecs/chest",0o755)
 os.WriteFile("/tmp/viz/base/kernelspecs/chest/echarts.min.js",[]byte(echarts.Library),0o644)
 os.WriteFile("/tmp/viz/served.html",[]byte(page("",run)),0o644)
 bar := charts.NewBar(); bar.SetGlobalOptions(charts.WithTitleOpts(opts.Title{Title: "go-echarts bar"}))
 bar.SetXAxis([]string{"a","b"}).AddSeries("s", []opts.BarData{{Value: 2},{Value:3}})
 all:=ECharts(bar).MIMEBundle()["text/html"].(string)+results().HTML()+small().MIMEBundle()["text/html"].(string)+two().MIMEBundle()["text/html"].(string)
 os.WriteFile("/tmp/viz/all.html",[]byte(page("",all+Inline()["text/html"].(string)+"<script>setTimeout(function(){var c=document.querySelectorAll('canvas');console.log('CANVAS',c.length,'IMG',document.querySelectorAll('img').length,'echarts',window.echarts)},2000)</script>")),0o644)
 os.WriteFile("/tmp/viz/broken.html",[]byte(page("",strings.Replace(small().MIMEBundle()["text/html"].(string),`"series":[{`,`"series":[{"coordinateSystem":"nope",`,1)+Inline()["text/html"].(string)+"<script>setTimeout(function(){console.log('IMG',document.querySelectorAll('img').length,document.querySelectorAll('canvas').length)},1500)</script>")),0o644)
 fmt.Println(len(hs[0]),len(hs[29]))
}
