package ui

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/habeas-data/habeas/internal/fulfill"
)

// stallAfter is how long a download may stand still before it is cut off.
const stallAfter = 2 * time.Minute

// ErrCutOff says that a package broke off with part of it sent: the connection must be cut, so that the part does not
// look whole.
var ErrCutOff = errors.New("the package broke off")

// SendZip streams a package and closes it. Its bytes are one person's data: nothing on the way may keep them. It may
// take longer than the server's write timeout as long as it moves.
func SendZip(c echo.Context, d fulfill.Download) error {
	if d.Stream == nil {
		return errors.New("sending a package: there is no stream")
	}
	defer d.Stream.Close()
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, "application/zip")
	h.Set(echo.HeaderContentDisposition, `attachment; filename="`+FileName(d.Name)+`"`)
	if d.Size >= 0 {
		h.Set(echo.HeaderContentLength, strconv.FormatInt(d.Size, 10))
	}
	control := http.NewResponseController(c.Response())
	_ = control.SetWriteDeadline(time.Time{})
	stalled := time.AfterFunc(stallAfter, func() { _ = control.SetWriteDeadline(time.Unix(1, 0)) })
	defer stalled.Stop()
	_, err := io.Copy(&movingWriter{w: c.Response(), moved: func() { stalled.Reset(stallAfter) }}, d.Stream)
	switch {
	case err == nil:
		return nil
	case c.Response().Committed:
		return errors.Join(ErrCutOff, err)
	}
	h.Del(echo.HeaderContentLength)
	h.Del(echo.HeaderContentDisposition)
	return fmt.Errorf("sending a package: %w", err)
}

// movingWriter tells each time that something could be written.
type movingWriter struct {
	w     io.Writer
	moved func()
}

func (m *movingWriter) Write(b []byte) (int, error) {
	n, err := m.w.Write(b)
	if err == nil {
		m.moved()
	}
	return n, err
}

// FileName keeps what is safe in a header and on a disk.
func FileName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.' {
			return r
		}
		return '-'
	}, s)
	if s = strings.TrimLeft(s, "."); s == "" {
		return "package.zip"
	}
	return s
}
