package demoshop

import (
	_ "embed"
	"encoding/json"
	"strings"
)

// Tenant is the name of the demo's tenant.
const Tenant = "demo"

var (
	//go:embed tenant/policy.yaml
	policyYAML string

	//go:embed tenant/datamap.yaml
	dataMapYAML string
)

// PolicyYAML gives the tenant's policy.yaml.
func PolicyYAML() []byte { return []byte(policyYAML) }

// DataMapYAML gives the tenant's datamap.yaml with the path of the shop's database in it.
func DataMapYAML(dbPath string) []byte {
	quoted, err := json.Marshal(dbPath) // a JSON string is a YAML string, whatever the path holds
	if err != nil {
		panic("demoshop: " + err.Error()) // a string always marshals
	}
	return []byte(strings.Replace(dataMapYAML, "${DEMO_SHOP_DB}", string(quoted), 1))
}
