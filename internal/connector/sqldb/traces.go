package sqldb

import (
	"context"
	"fmt"
	"strings"

	"github.com/habeas-data/habeas/internal/connector"
)

const (
	tracesBackups = "Copies that were made before (backups, snapshots, exports) hold the rows until they expire; they were not looked at. After a restore the erasure has to be repeated."
)

// Traces tells what of deleted and overwritten rows stays in the database's own files, and until when, from the
// settings of the server. A setting that may not be read is said to be unknown.
func (d *DB) Traces(ctx context.Context) ([]connector.Trace, error) {
	var found map[string]string
	err := d.inSnapshot(ctx, func(q querier) error {
		var err error
		found, err = d.dialect.settings(ctx, q)
		return err
	})
	if err != nil {
		return nil, d.fail(err, "reading the server's settings")
	}
	out := d.dialect.traces(found)
	out = append(out, connector.Trace{Where: "backups", Text: tracesBackups})
	for i := range out {
		out[i].System = d.sys.Name
	}
	return out, nil
}

// said gives a setting, or that it is unknown.
func said(settings map[string]string, name string) string {
	return defaultTo(settings[name], "unknown")
}

const pgSettings = `
SELECT name, current_setting(name) FROM pg_settings WHERE name IN ('autovacuum', 'autovacuum_naptime', 'autovacuum_vacuum_scale_factor',
  'autovacuum_vacuum_threshold', 'archive_mode', 'wal_keep_size', 'wal_keep_segments', 'max_wal_size', 'wal_level', 'log_statement')
UNION ALL SELECT 'slots', count(*)::text FROM pg_replication_slots
UNION ALL SELECT 'standbys', count(*)::text FROM pg_stat_replication`

func (postgres) settings(ctx context.Context, q querier) (map[string]string, error) {
	return pairsOf(ctx, q, pgSettings)
}

func pairsOf(ctx context.Context, q querier, query string) (map[string]string, error) {
	out := map[string]string{}
	err := each(ctx, q, query, nil, 2, func(v []string) { out[strings.ToLower(v[0])] = v[1] })
	return out, err
}

func (postgres) traces(s map[string]string) []connector.Trace {
	dead := fmt.Sprintf("Deleted row versions can't be read by statements, but stay in the table files until they are vacuumed: autovacuum is on, looks every %s, and vacuums a table once %s of its rows and %s more are dead.",
		said(s, "autovacuum_naptime"), said(s, "autovacuum_vacuum_scale_factor"), said(s, "autovacuum_vacuum_threshold"))
	if s["autovacuum"] != "on" {
		dead = "Deleted row versions can't be read by statements, but stay in the table files until somebody runs VACUUM: autovacuum is " + said(s, "autovacuum") + "."
	}
	wal := fmt.Sprintf("The write-ahead log holds what was written until its segments are recycled: up to max_wal_size %s, and wal_keep_size %s beyond that.",
		said(s, "max_wal_size"), defaultTo(s["wal_keep_size"], said(s, "wal_keep_segments")))
	if s["archive_mode"] != "off" {
		wal += " It is archived (archive_mode " + said(s, "archive_mode") + "): the archive ends with its own expiry."
	}
	if n := s["slots"]; n != "0" {
		wal += " Replication slots hold it back for as long as their readers are behind: " + said(s, "slots") + " slots."
	}
	out := []connector.Trace{{Where: "dead_rows", Text: dead}, {Where: "log", Text: wal}}
	if n := s["standbys"]; n != "0" {
		out = append(out, connector.Trace{Where: "replicas", Text: said(s, "standbys") + " standby servers follow; the rows go there when they have replayed the log."})
	}
	if v := s["log_statement"]; v != "none" && v != "ddl" {
		out = append(out, connector.Trace{Where: "statement_log", Text: "The server writes statements to its log (log_statement " + said(s, "log_statement") + "): keys of rows stand there until the log is rotated away."})
	}
	return out
}

const mySettings = `
SHOW GLOBAL VARIABLES WHERE Variable_name IN ('log_bin', 'binlog_format', 'binlog_row_image', 'expire_logs_days', 'binlog_expire_logs_seconds',
  'innodb_undo_log_truncate', 'innodb_max_undo_log_size', 'innodb_immediate_scrub_data_uncompressed', 'innodb_file_per_table', 'general_log', 'slow_query_log')`

func (mysqlDialect) settings(ctx context.Context, q querier) (map[string]string, error) {
	return pairsOf(ctx, q, mySettings)
}

func (mysqlDialect) traces(s map[string]string) []connector.Trace {
	dead := "Deleted rows are marked, and the purge removes them once no open transaction can see them; their bytes stay in the free space of the table files until it is used again or the table is rebuilt (OPTIMIZE TABLE)."
	if s["innodb_immediate_scrub_data_uncompressed"] == "ON" {
		dead = "Deleted rows are marked, and the purge overwrites them once no open transaction can see them (innodb_immediate_scrub_data_uncompressed is ON)."
	}
	undo := "The undo log holds the old values until the purge has passed; its space is used again"
	if s["innodb_undo_log_truncate"] == "ON" {
		undo += ", and cut once it is larger than " + said(s, "innodb_max_undo_log_size") + " bytes"
	}
	out := []connector.Trace{{Where: "dead_rows", Text: dead}, {Where: "undo", Text: undo + "."}}
	if s["log_bin"] == "OFF" {
		out = append(out, connector.Trace{Where: "log", Text: "There is no binary log (log_bin is OFF); the redo log is written over as it goes round."})
	} else {
		until := "until it is purged by hand: no expiry is set"
		if v := s["binlog_expire_logs_seconds"]; v != "" && v != "0" {
			until = "for " + v + " seconds (binlog_expire_logs_seconds)"
		} else if v := s["expire_logs_days"]; v != "" && strings.Trim(v, "0.") != "" {
			until = "for " + v + " days (expire_logs_days)"
		}
		out = append(out, connector.Trace{Where: "log", Text: fmt.Sprintf("The binary log (%s, row image %s) holds what was deleted %s; replicas that follow it delete the rows as well.",
			said(s, "binlog_format"), said(s, "binlog_row_image"), until)})
	}
	if s["general_log"] == "ON" || s["slow_query_log"] == "ON" {
		out = append(out, connector.Trace{Where: "statement_log", Text: fmt.Sprintf("The server writes statements to logs (general_log %s, slow_query_log %s): keys of rows stand there until the logs are rotated away.",
			said(s, "general_log"), said(s, "slow_query_log"))})
	}
	return out
}

func (sqliteDialect) settings(ctx context.Context, q querier) (map[string]string, error) {
	out := map[string]string{}
	for _, name := range []string{"secure_delete", "journal_mode"} {
		if err := each(ctx, q, "PRAGMA "+name, nil, 1, func(v []string) { out[name] = v[0] }); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (sqliteDialect) traces(s map[string]string) []connector.Trace {
	text := "Deleted contents were overwritten with zeros in the file (secure_delete is on)"
	if s["secure_delete"] != "1" {
		text = "Deleted contents stay in the free pages of the file until they are used again or VACUUM is run (secure_delete is " + said(s, "secure_delete") + ")"
	}
	if s["journal_mode"] == "wal" {
		text += ", and the write-ahead log was moved into the file and cut to nothing"
	}
	return []connector.Trace{{Where: "dead_rows", Text: text + "."}}
}
