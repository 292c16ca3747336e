package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/habeas-data/habeas/internal/app"
	"github.com/habeas-data/habeas/internal/config"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
)

// settings are the flags that a command has for settings of the program, made from the list in package config so that
// a setting can't be without its flag. kong fills one struct through Plugins.
type settings struct {
	kong.Plugins
	names []string // of the settings that concern the command; empty: all
}

// storeSettings are what a command needs that looks into the store and the connected systems. It serves nobody, so
// that nothing about addresses, tokens and queues can stand in its way.
func storeSettings() []string {
	return []string{"HABEAS_DATA_DIR", "HABEAS_DATABASE_URL", "HABEAS_BLOB_URL", "HABEAS_KMS_URL", "HABEAS_JWT_KEYS",
		"HABEAS_JWT_ISSUER", "HABEAS_LOG"}
}

// tokenSettings say which key signs, and whether it may.
func tokenSettings() []string {
	return []string{"HABEAS_DATA_DIR", "HABEAS_JWT_KEYS", "HABEAS_JWT_ISSUER", "HABEAS_LISTEN", "HABEAS_PUBLIC_URL"}
}

// migrateSettings say which database. Everything else may be set or not: migrations run before the rest is there.
func migrateSettings() []string { return []string{"HABEAS_DATABASE_URL", "HABEAS_DATA_DIR"} }

func newSettings(names []string) settings {
	var fields []reflect.StructField
	for _, s := range config.Settings() {
		if len(names) > 0 && !slices.Contains(names, s.Name) {
			continue
		}
		typ := reflect.TypeFor[*string]()
		tag := fmt.Sprintf(`name:%q help:%q group:"Settings, also from the environment:"`, s.Flag, s.Help+" ["+s.Name+"]")
		switch {
		case s.Default == "true" || s.Default == "false":
			typ = reflect.TypeFor[*bool]()
		case s.Default != "":
			tag += fmt.Sprintf(` placeholder:%q`, s.Default)
		default:
			tag += ` placeholder:"…"`
		}
		fields = append(fields, reflect.StructField{Name: fieldName(s.Flag), Type: typ, Tag: reflect.StructTag(tag)})
	}
	return settings{Plugins: kong.Plugins{reflect.New(reflect.StructOf(fields)).Interface()}, names: names}
}

func fieldName(flag string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(flag, "-") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// given gives the settings of the command line by name.
func (s settings) given() map[string]string {
	out := map[string]string{}
	v := reflect.ValueOf(s.Plugins[0]).Elem()
	for _, known := range config.Settings() {
		switch field := v.FieldByName(fieldName(known.Flag)); {
		case !field.IsValid() || field.IsNil():
		case field.Type() == reflect.TypeFor[*bool]():
			out[known.Name] = strconv.FormatBool(field.Elem().Bool())
		default:
			out[known.Name] = field.Elem().String()
		}
	}
	return out
}

// load reads the settings that concern the command. A setting that does not exist is an error in any command.
func (p *program) load(s settings) (*config.Config, error) {
	known := config.Settings()
	environ := slices.DeleteFunc(slices.Clone(p.environ), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		exists := slices.ContainsFunc(known, func(k config.Setting) bool { return k.Name == name })
		return exists && len(s.names) > 0 && !slices.Contains(s.names, name)
	})
	return config.Load(environ, s.given())
}

// open wires the program for a command. Beside a running `serve` it is shared; then the data dir must be there.
func (p *program) open(ctx context.Context, s settings, shared bool) (*app.App, error) {
	c, err := p.load(s)
	if err != nil {
		return nil, err
	}
	if shared && c.Embedded() {
		if _, err := os.Stat(filepath.Join(c.DataDir, "habeas.db")); errors.Is(err, fs.ErrNotExist) {
			return nil, fault.New(fault.NotFound, "no_data", "HABEAS_DATA_DIR: there is no database in %s; name the directory that `habeas serve` uses.", c.DataDir)
		}
	}
	return app.Open(ctx, c, app.Options{Shared: shared, Log: newLog(c, p.stderr)})
}

// newLog makes the log that HABEAS_LOG asks for.
func newLog(c *config.Config, w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.Log.Level)) // config has read it before
	o := &slog.HandlerOptions{Level: level}
	if c.Log.JSON {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// tenantOf gives the tenant that a command is about: the one named, or the only one there is.
func tenantOf(ctx context.Context, a *app.App, named string) (dsr.TenantID, error) {
	if named != "" {
		id, err := dsr.ParseTenant(named)
		if err != nil {
			return "", misused("--tenant: %q is not the name of a tenant", named)
		}
		return id, nil
	}
	all, err := a.Store.Tenants(ctx)
	if err != nil {
		return "", err
	}
	switch len(all) {
	case 1:
		return all[0], nil
	case 0:
		return "", no("habeas: there is no tenant yet; `habeas tenant apply DIR` makes one")
	}
	words := make([]string, len(all))
	for i, id := range all {
		words[i] = string(id)
	}
	return "", misused("--tenant: there are several (%s); name one", strings.Join(words, ", "))
}
