package datasets

import (
	"bytes"
	"encoding/binary"
	"errors"
)

func isWebP(b []byte) bool {
	return len(b) >= 12 && bytes.HasPrefix(b, []byte("RIFF")) && string(b[8:12]) == "WEBP"
}

// webPSize is the size of a WebP picture, checked to be one: the header of the
// whole and those of the pictures in it could each claim another, and the
// decoder takes memory by the inner ones.
//
// Source: RFC 9649, "WebP image format".
func webPSize(data []byte) (w, h int, err error) {
	for rest := data[12:]; len(rest) >= 8; {
		name, n := string(rest[:4]), uint64(binary.LittleEndian.Uint32(rest[4:]))
		body := rest[8:]
		cw, ch, err := chunkSize(name, body)
		if err != nil {
			return 0, 0, err
		}
		if cw > 0 {
			if w > 0 && (cw != w || ch != h) {
				return 0, 0, errors.New("broken WebP file: its parts are of different sizes")
			}
			w, h = cw, ch
		}
		if n += n % 2; n >= uint64(len(body)) {
			break
		}
		rest = body[n:]
	}
	if w == 0 {
		return 0, 0, errors.New("broken WebP file: there is no picture in it")
	}
	return w, h, nil
}

// chunkSize is the size that a chunk of a WebP file says; 0 if it says none.
func chunkSize(name string, b []byte) (w, h int, err error) {
	short := errors.New("broken WebP file: it is cut short")
	switch name {
	case "VP8X":
		if len(b) < 10 {
			return 0, 0, short
		}
		if b[0]&2 != 0 {
			return 0, 0, errors.New("the WebP file is an animation: save one frame of it")
		}
		w = int(b[4]) | int(b[5])<<8 | int(b[6])<<16
		h = int(b[7]) | int(b[8])<<8 | int(b[9])<<16
		return w + 1, h + 1, nil
	case "VP8L":
		if len(b) < 5 {
			return 0, 0, short
		}
		v := binary.LittleEndian.Uint32(b[1:])
		return int(v&0x3fff) + 1, int(v>>14&0x3fff) + 1, nil
	case "VP8 ":
		if len(b) < 10 {
			return 0, 0, short
		}
		w = int(binary.LittleEndian.Uint16(b[6:]) & 0x3fff)
		h = int(binary.LittleEndian.Uint16(b[8:]) & 0x3fff)
		if w == 0 || h == 0 {
			return 0, 0, errors.New("broken WebP file: a side of 0 pixels")
		}
	}
	return w, h, nil
}
