function(option,ec){
  // own is what each series says for this script; base is its data as drawn first.
  var own=option.series.map(function(s){var c=s.chest||{};delete s.chest;return c;}),
      base=option.series.map(function(s,i){
        if(own[i].packed){s.data=unpack(own[i]);}
        if(own[i].names||own[i].thumbs){s.tooltip={trigger:"item",formatter:hover(own[i])};}
        return s.data;
      }),
      at={},                       // panel → what lies at its centre
      light=count()<=4000;

  function count(){
    return base.reduce(function(n,d){return n+(d?d.length:0);},0);
  }
  function unpack(c){
    var b=atob(c.packed),n=b.length/2,v=new Float64Array(n),i,k,r,f;
    for(i=0;i<n;i++){
      k=b.charCodeAt(2*i)|b.charCodeAt(2*i+1)<<8;
      v[i]=(k>32767?k-65536:k)*c.unit;
    }
    for(i=0;i<n;i+=2){
      r=Math.hypot(v[i],v[i+1]);
      f=!c.ball?1:r>0?Math.tanh(r/2)/r:0.5;
      v[i]=v[i]*f+(c.x||0);
      v[i+1]=v[i+1]*f+(c.y||0);
    }
    return v;
  }
  function hover(c){
    return function(p){
      var v=p.value,name=c.names?c.names[p.dataIndex]:Array.isArray(v)&&typeof v[2]==="string"?v[2]:"",
          img=c.thumbs&&c.thumbs[p.dataIndex],esc=ec.format.encodeHTML;
      return esc(p.seriesName)+(name?"<br>"+esc(name):"")+
        (img?'<br><img src="data:image/jpeg;base64,'+esc(img)+'" style="height:64px;margin-top:4px">':"");
    };
  }
  // move is the Moebius translation that brings a to the centre.
  function move(a,z){
    var x=z[0]-a[0],y=z[1]-a[1],u=1-a[0]*z[0]-a[1]*z[1],v=a[1]*z[0]-a[0]*z[1],q=u*u+v*v;
    return q>0?[(x*u+y*v)/q,(y*u-x*v)/q]:[0,0];
  }
  // arc is the geodesic from a to b as chords; see arc of package viz.
  function arc(a,b){
    var det=a[0]*b[1]-a[1]*b[0],p=(1+a[0]*a[0]+a[1]*a[1])/2,s=(1+b[0]*b[0]+b[1]*b[1])/2,
        x=(p*b[1]-s*a[1])/det,y=(a[0]*s-b[0]*p)/det,rr=x*x+y*y-1,out=[],k,n,t,turn,c,d;
    if(Math.abs(det)<1e-12||!(rr>0)||rr>1e6){return [a,b];}
    c=[a[0]-x,a[1]-y];d=[b[0]-x,b[1]-y];
    turn=Math.atan2(c[0]*d[1]-c[1]*d[0],c[0]*d[0]+c[1]*d[1]);
    n=Math.min(Math.max(Math.ceil(Math.abs(turn)/(2*Math.acos(1-Math.min(5e-4/Math.sqrt(rr),1)))),1),64);
    for(k=0;k<=n;k++){
      t=turn*k/n;
      out.push([x+c[0]*Math.cos(t)-c[1]*Math.sin(t),y+c[0]*Math.sin(t)+c[1]*Math.cos(t)]);
    }
    return out;
  }
  function moved(i,a){
    var d=base[i],out,k,z;
    if(own[i].move==="arcs"){
      return d.map(function(l){return arc(move(a,l[0]),move(a,l[l.length-1]));});
    }
    if(!Array.isArray(d)){
      out=new Float64Array(d.length);
      for(k=0;k<d.length;k+=2){z=move(a,[d[k],d[k+1]]);out[k]=z[0];out[k+1]=z[1];}
      return out;
    }
    return d.map(function(p){
      return p.value?Object.assign({},p,{value:move(a,p.value)}):move(a,p).concat(p.slice(2));
    });
  }

  if(option.grid&&!Array.isArray(option.grid)&&option.grid.width>=500&&Array.isArray(option.title)&&own.some(function(c){return c.move;})){
    option.title.push({text:"click: point to centre\ndouble click: back\nshift + wheel: zoom",
      left:option.grid.left,top:option.grid.top+option.grid.height-38,
      textStyle:{color:"#999999",fontSize:10,lineHeight:12,fontWeight:"normal"}});
  }
  return function(chart){
    function show(panel,a){
      at[panel]=a;
      chart.setOption({series:base.map(function(d,i){
        return own[i].move&&(own[i].panel||0)===panel?{data:moved(i,a)}:{};
      })});
    }
    var turn=0;
    function go(panel,to){
      var from=at[panel]||[0,0],frames=light?10:1,f=0,mine=++turn;
      function step(){
        if(mine!==turn||chart.isDisposed()){return;}
        var t=++f/frames;
        show(panel,[from[0]+t*(to[0]-from[0]),from[1]+t*(to[1]-from[1])]);
        if(f<frames){requestAnimationFrame(step);}
      }
      step();
    }
    chart.on("click",function(p){
      var c=p.componentType==="series"&&own[p.seriesIndex],d=base[p.seriesIndex],i=p.dataIndex,z,r;
      if(!c||c.move!=="points"){return;}
      z=Array.isArray(d)?d[i].value||d[i]:[d[2*i],d[2*i+1]];
      r=Math.min(1,(1-1e-9)/Math.hypot(z[0],z[1]));
      go(c.panel||0,[z[0]*r,z[1]*r]);
    });
    chart.getZr().on("dblclick",function(){
      turn++;
      Object.keys(at).forEach(function(panel){show(+panel,[0,0]);});
      at={};
    });
  };
}
