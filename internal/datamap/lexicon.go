package datamap

// The words by which Infer reads a schema, in English, German, Spanish, French and Italian, between blanks. They are
// hints: what the data say goes before them, and what stays in doubt is asked.
const (
	// personWords name tables that hold people.
	personWords = " user customer client employee staff person people member patient student pupil teacher doctor physician nurse contact guest host driver agent " +
		"subscriber applicant candidate guardian lead account profile author actor instructor lecturer tutor coach therapist owner buyer seller shopper " +
		"passenger resident tenant_user beneficiary donor volunteer participant attendee operator salesperson salesrep rep worker colleague personnel adherent " +
		"kunde benutzer nutzer mitarbeiter angestellter person patient schueler lehrer arzt mitglied kontakt teilnehmer fahrer ansprechpartner " +
		"cliente usuario empleado persona paciente alumno estudiante profesor medico miembro socio contacto conductor trabajador " +
		"utilisateur personne salarie eleve etudiant enseignant medecin membre adherent personnel abonne " +
		"utente dipendente persona paziente studente insegnante medico socio "

	// workerWords name people who work for the controller: another kind of person than its customers.
	workerWords = " employee staff agent operator admin administrator doctor physician nurse teacher instructor lecturer tutor therapist driver worker personnel " +
		"salesperson salesrep rep manager supervisor mitarbeiter angestellter lehrer arzt sachbearbeiter empleado profesor medico trabajador salarie enseignant medecin " +
		"dipendente insegnante "

	// groupWords name tables that stand for organizations, places and groups: many people's, nobody's own.
	groupWords = " company organization organisation org tenant workspace team group groups department dept division unit branch store shop office warehouse location site " +
		"plant country city town region state currency language school hospital clinic ward supplier vendor manufacturer brand partner institution faculty classroom class lesson " +
		"role permission plan category type status tag product item film track course subject room bank club community forum " +
		"firma unternehmen abteilung filiale lager standort land stadt ort sprache schule krankenhaus station lieferant gruppe rolle kategorie produkt artikel " +
		"empresa compania departamento tienda sucursal almacen pais ciudad escuela hospital proveedor grupo rol categoria producto articulo " +
		"entreprise societe service departement magasin agence entrepot pays ville ecole hopital fournisseur groupe categorie produit " +
		"azienda reparto negozio magazzino paese citta scuola ospedale fornitore gruppo ruolo prodotto "

	// ownRoles name the person whose row it is, best first by position.
	ownRoles = " user customer client member owner account patient student subscriber buyer author creator sender from poster follower voter requester reporter applicant " +
		"guest passenger shopper donor person profile organizer inviter friend1 uploader kunde benutzer autor absender ersteller besitzer cliente usuario remitente propietario " +
		"client utilisateur auteur expediteur proprietaire utente mittente autore "

	// otherRoles name a second person whom the row concerns.
	otherRoles = " recipient receiver to addressee followed followee following invitee target seller friend friend2 blocked mentioned referred referee beneficiary payee " +
		"empfaenger destinatario destinataire contact partner "

	// actorRoles name people who did something to a row that is not theirs.
	actorRoles = " updated updater modified modifier changed deleted approved approver assigned assignee closed handled reviewed reviewer moderated moderator manager " +
		"supervisor staff employee agent processed resolved verified verifier editor edited served seller rep operator admin banned locked published cancelled canceled " +
		"issued completed responsible lead head boss chief doctor physician nurse teacher instructor driver " +
		"geaendert aktualisiert bearbeitet bearbeiter sachbearbeiter vorgesetzter leiter genehmigt geloescht mitarbeiter modificado actualizado aprobado eliminado jefe gerente " +
		"modifie mis approuve valide supprime responsable chef "

	// byWords end the name of an actor: created_by, erstellt_von, creado_por, cree_par.
	byWords = " by von por par da "

	// createdWords name the making of a row.
	createdWords = " created creator added inserted uploaded posted submitted opened requested placed written author erstellt angelegt creado creador cree ajoute creato "

	// auditWords name tables that record what happened.
	auditWords = " audit audits auditlog history histories version versions changelog revision revisions aud journal protokoll historie historial historique "

	// recordWords name business records that tax or trade law may keep.
	recordWords = " invoice payment order transaction receipt bill billing refund credit_note ledger booking purchase sale payout charge rechnung zahlung bestellung auftrag " +
		"beleg buchung factura pago pedido recibo facture paiement commande recu fattura pagamento ordine payroll payslip salary "

	// copyWords mark tables and schemas that are copies of others.
	copyWords = " backup backups bak copy old archive archived snapshot tmp temp staging restore sicherung kopie alt respaldo copia sauvegarde "

	// fileColumns are columns that hold the name of a file in some store.
	fileColumns = `(^|_)(storage_key|object_key|blob_key|s3_key|file_key|s3_path|file_?path|storage_path|avatar_path|avatar_url|photo_url|photo_path|image_path|document_path|` +
		`attachment_path|picture_path|dateipfad|ruta_archivo|chemin_fichier)$|^(avatar|filepath)$`

	// softDelete are columns that mark a row as deleted while it stays.
	softDelete = `^(deleted_?at|is_deleted|deleted|deleted_on|removed_at|discarded_at|archived_at|is_active_deleted|geloescht(_am)?|eliminado(_en)?|supprime(_le)?|borrado(_en)?)$`
)
