package server

import (
	"sync"

	"github.com/chestlab/chest/kernel/wire"
	"github.com/chestlab/chest/kernel/worker"
)

// comms is the comms that are open. The zero value is ready.
type comms struct {
	mu     sync.Mutex
	target map[string]string // by id
}

// note follows a message of a comm, of either side.
func (c *comms) note(kind, id, target string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch kind {
	case "open":
		if c.target == nil {
			c.target = map[string]string{}
		}
		c.target[id] = target
	case "close":
		delete(c.target, id)
	}
}

// list is the open comms with a target, or all.
func (c *comms) list(target string) map[string]wire.CommTarget {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := map[string]wire.CommTarget{}
	for id, t := range c.target {
		if target == "" || t == target {
			found[id] = wire.CommTarget{TargetName: t}
		}
	}
	return found
}

// clear forgets all comms and returns their ids.
func (c *comms) clear() (ids []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id := range c.target {
		ids = append(ids, id)
	}
	c.target = nil
	return ids
}

// send sends a message of a cell.
func (c *comms) send(k *kernel, j job, m worker.Comm) {
	c.note(m.Kind, m.ID, m.Target)
	var content any = wire.CommMessage{CommID: m.ID, Data: m.Data}
	if m.Kind == "open" {
		content = wire.CommOpen{CommID: m.ID, TargetName: m.Target, Data: m.Data}
	}
	if err := k.wire.PublishWith(j.Header, "comm_"+m.Kind, m.Metadata, content); err != nil {
		k.logf("%v", err)
	}
}

// closeComms tells the front end that its comms have ended with their worker.
func (k *kernel) closeComms(j job) {
	for _, id := range k.comms.clear() {
		k.publish(j, "comm_close", wire.CommMessage{CommID: id})
	}
}

// commInfo lists the open comms.
func commInfo(k *kernel, j job) {
	var req wire.CommInfoRequest
	j.Into(&req)
	k.reply(j, wire.CommInfoReply{Status: wire.StatusOK, Comms: k.comms.list(req.TargetName)})
}

func commOpen(k *kernel, j job) {
	var m wire.CommOpen
	if j.Into(&m) == nil {
		k.receive(j, worker.Comm{Kind: "open", ID: m.CommID, Target: m.TargetName, Data: m.Data})
	}
}

func commMsg(k *kernel, j job) {
	var m wire.CommMessage
	if j.Into(&m) == nil {
		k.receive(j, worker.Comm{Kind: "msg", ID: m.CommID, Data: m.Data})
	}
}

func commClose(k *kernel, j job) {
	var m wire.CommMessage
	if j.Into(&m) == nil {
		k.receive(j, worker.Comm{Kind: "close", ID: m.CommID, Data: m.Data})
	}
}

// receive hands a message of the front end to the worker.
func (k *kernel) receive(j job, c worker.Comm) {
	k.comms.note(c.Kind, c.ID, c.Target)
	c.Metadata = j.Metadata
	cell := k.newCell(place{job: j})
	k.host.Comm(cell, c)
	k.out.sync()
}
