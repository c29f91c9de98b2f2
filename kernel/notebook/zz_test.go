package notebook
import ("testing";"os")
func TestZZ(t *testing.T){ for _, n := range []string{"more","q"} { nb,err:=Read("/tmp/nbout/"+n+".ipynb"); if err!=nil{t.Fatal(err)}; f,_:=os.Create("/tmp/nbout/"+n+".html"); nb.HTML(f,HTMLOptions{}); f.Close() } }
