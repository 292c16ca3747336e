package httpapi

import (
	"github.com/labstack/echo/v4"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
)

const keyPrincipal = "habeas.principal"

func errNoToken() error {
	return fault.New(fault.Unauthorized, "no_token", "This call needs a token: Authorization: Bearer …")
}

// token lets a caller with a good JWT through. The tenant is that of its claim and of nothing else.
func (a *door) token(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		raw, err := bearer(c)
		if err != nil {
			return err
		}
		p, err := a.Tokens.Verify(c.Request().Context(), raw)
		if err != nil {
			return err
		}
		p.Address = c.RealIP()
		c.Set(keyPrincipal, p)
		return next(c)
	}
}

// person lets a person through who holds the access_token of the reference in the path.
func (a *door) person(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		tenant, err := dsr.ParseTenant(c.Param("tenant"))
		if err != nil {
			return err
		}
		raw, err := bearer(c)
		if err != nil {
			return err
		}
		ref, err := dsr.ParseReference(c.Param("reference"))
		if err != nil {
			return err
		}
		p, err := a.Proofs.Person(c.Request().Context(), tenant, string(ref), raw)
		if err != nil {
			return err
		}
		p.Address = c.RealIP()
		c.Set(keyPrincipal, p)
		return next(c)
	}
}

// public names a caller who proved nothing.
func (a *door) public(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		tenant, err := dsr.ParseTenant(c.Param("tenant"))
		if err != nil {
			return err
		}
		c.Set(keyPrincipal, access.Principal{Kind: access.KindPublic, Tenant: string(tenant), Address: c.RealIP()})
		return next(c)
	}
}

// principal gives who calls, as one of the three above found. Without them it is nobody, who may do nothing.
func principal(c echo.Context) access.Principal {
	p, _ := c.Get(keyPrincipal).(access.Principal)
	return p
}
