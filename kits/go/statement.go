package observe

import "strings"

// statementLengthMax bounds db.statement: longer ones are generated, and say little after that.
const statementLengthMax = 2000

// statement is what an SQL text tells of itself.
type statement struct {
	text      string // on one line, with ? for every literal: values may be secrets
	operation string // SELECT, INSERT, …: a known keyword, else OTHER
	table     string // the first table named, without schema and quotes; "none" where there is none
}

var operations = map[string]string{
	"select": "SELECT", "insert": "INSERT", "update": "UPDATE", "delete": "DELETE", "merge": "MERGE", "with": "WITH",
	"begin": "BEGIN", "commit": "COMMIT", "rollback": "ROLLBACK", "create": "CREATE", "alter": "ALTER", "drop": "DROP",
	"truncate": "TRUNCATE", "copy": "COPY", "call": "CALL", "set": "SET", "show": "SHOW", "explain": "EXPLAIN",
}

// parseStatement reads just enough SQL for labels: tokens, not grammar.
func parseStatement(sql string) statement {
	tokens, text := scanStatement(sql)
	parsed := statement{text: text, operation: "OTHER", table: "none"}
	for i, token := range tokens {
		word := strings.ToLower(token)
		if parsed.operation == "OTHER" || parsed.operation == "WITH" {
			// A WITH statement is what follows its common table expressions; the first such keyword is near enough.
			if operation, known := operations[word]; known {
				parsed.operation = operation
			}
		}
		switch word {
		case "from", "into", "update", "table", "join":
			if table := tableAt(tokens, i+1); table != "" {
				parsed.table = table
				return parsed
			}
		}
	}
	return parsed
}

// tableAt returns the table named at tokens[i], past IF NOT EXISTS and ONLY, or nothing where that is no name.
func tableAt(tokens []string, i int) string {
	for ; i < len(tokens); i++ {
		switch strings.ToLower(tokens[i]) {
		case "if", "not", "exists", "only":
			continue
		case "select", "(", "?", "set", "lateral":
			return ""
		}
		name := tokens[i]
		if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
			name = name[dot+1:]
		}
		return strings.Trim(name, "\"`[]")
	}
	return ""
}

// scanStatement cuts sql into words (a qualified name is one word), "(" and "?" for literals, and writes it on one line.
func scanStatement(sql string) (tokens []string, text string) {
	var line strings.Builder
	space := false
	emit := func(piece string) {
		if space && line.Len() > 0 {
			line.WriteByte(' ')
		}
		space = false
		if line.Len() < statementLengthMax {
			line.WriteString(piece)
		}
	}
	for i := 0; i < len(sql); {
		c := sql[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			space = true
			i++
		case strings.HasPrefix(sql[i:], "--"):
			i += lengthUntil(sql[i:], "\n")
			space = true
		case strings.HasPrefix(sql[i:], "/*"):
			i += 2 + lengthUntil(sql[i+2:], "*/") // "/*/" opens and does not close
			space = true
		case c == '\'':
			i += quotedLength(sql[i:], '\'')
			tokens = append(tokens, "?")
			emit("?")
		case c >= '0' && c <= '9':
			for i < len(sql) && (isWord(sql[i]) || sql[i] == '.') {
				i++
			}
			tokens = append(tokens, "?")
			emit("?")
		case isWord(c) || c == '"' || c == '`' || c == '[':
			start := i
			for i < len(sql) && (isWord(sql[i]) || sql[i] == '.' || sql[i] == '"' || sql[i] == '`' || sql[i] == '[' || sql[i] == ']') {
				if sql[i] == '"' || sql[i] == '`' {
					i += quotedLength(sql[i:], sql[i])
				} else {
					i++
				}
			}
			tokens = append(tokens, sql[start:i])
			emit(sql[start:i])
		case c == '(':
			tokens = append(tokens, "(")
			emit("(")
			i++
		default:
			emit(sql[i : i+1])
			i++
		}
	}
	text = line.String()
	if len(text) > statementLengthMax {
		text = strings.ToValidUTF8(text[:statementLengthMax], "")
	}
	return tokens, text
}

// isWord includes $ so that a placeholder ($1) is a word and keeps its number.
func isWord(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// lengthUntil is how many bytes of text lie before the end of the first mark, or all of them.
func lengthUntil(text, mark string) int {
	if at := strings.Index(text, mark); at >= 0 {
		return at + len(mark)
	}
	return len(text)
}

// quotedLength is the length of the quoted piece that text begins with; a doubled quote stands for itself.
func quotedLength(text string, quote byte) int {
	for i := 1; i < len(text); i++ {
		if text[i] != quote {
			continue
		}
		if i+1 < len(text) && text[i+1] == quote {
			i++
			continue
		}
		return i + 1
	}
	return len(text)
}
