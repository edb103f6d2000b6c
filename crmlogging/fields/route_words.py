"""The words that the routes of CRMs and of web services are made of.

A part of a path is shown only if it is one of these, or made of them: whatever is not in here stays
unknown, be it a tenant, a customer's list or a person. So no names of people, places or companies
stand here, but for those of the CRMs themselves, and no word that is also somebody's usual name.
"""

from __future__ import annotations

from functools import cache
from typing import Final

__all__ = ["words"]

_WORDS: Final = {
    # What any service's routes are made of, alone or joined: "/sync-now", "/batchGet", "/is_valid".
    "web": """
        about access action actions add admin ajax all and any api apis app apps archive archived as
        asset assets async at attach auth authenticate authorise authorize authorization aux
        available backend background backup base basic batch batches begin bin body bulk by cache
        call callback callbacks calls cancel cancelled category categories cgi change changed
        changes check checks clear client clients close closed code codes collect command commands
        common complete completed config configs configuration confirm connect connected connection
        connections console content contents continue copy count counts create created cron css csv
        current cursor daily dashboard data date dates day days debug default defaults definition
        definitions delete deleted delta describe description descriptions destroy detail details
        device devices diff direct disable disconnect discovery docs document documents done
        download downloads draft drafts duplicate duplicates dynamic edit enable end endpoint
        endpoints environment error errors event events exchange execute export exports external
        failed failure failures favicon feature features feed feedback feeds fetch field fields file
        files filter filters finalize find finish first flag flags folder folders for form format
        formats forms forward from full function functions gateway general generate get global go
        graph graphql group groups handler head health healthcheck healthz help hidden history home
        hook hooks hour hourly hours html ico id ids image images img import imports in inbound
        inbox incoming index info ingest init initialize inline input insert inspect install
        integration integrations internal invalid invalidate invite invites invoke is item items job
        jobs js json jsonp jwks key keys kill language languages last latest launch legacy limit
        limits link links list listen live liveness load local locale locales lock log login logins
        logout logs lookup main manage management manifest map maps mapping mappings media
        mark-as-read mark_as_read member members merge message messages meta metadata method methods
        metric metrics migrate migration migrations minute missing mobile mode model models module
        modules monitor monthly move moved multi multiple mutate my name names native new next node
        nodes none not note notes notification notifications notify now null number numbers oauth
        oauth2 object objects odata of off offline offset ok old on online open openapi operation
        operations option options or order origin other out outbound outgoing output override page
        pages param parameter parameters parse part partial partner partners parts password patch
        path paths pause pdf pending permission permissions ping pixel plan plans plugin plugins png
        policies policy poll pool portal post preferences preview previous print private probe
        process processes profile profiles progress prometheus protected provider providers proxy
        public publish pull purge push put queries query queue queues random range rate raw read
        readiness ready readyz realtime rebuild receive recent redirect redirects ref reference
        references refresh refs region regions register registration reindex reject rel related
        relation relations release releases reload remote remove rename render reopen replace reply
        report reports request requests reset resend resize resolve resource resources response
        responses rest restart restore result results resume retrieve retry revert review reviews
        revoke revision revisions robots role roles rollback root route routes rpc rss rule rules
        run running runs saml sample save schedule scheduled schedules schema schemas scope scopes
        script scripts search searches secure security select self send server service services
        session sessions set setting settings setup share shared sign signature signatures signin
        signout signup single sitemap size skip snapshot snapshots soap sort source sources spec sso
        start started startup stat state states static statistics stats status statuses step steps
        stop storage store stream streams style styles subject submit submission submissions
        subscribe suggest suggestions summaries summary suspend svc svg swagger switch sync synced
        syncs system tables table target targets task tasks template templates temporary tenant
        tenants test tests text thread threads time timeline times title to toggle token tokens tool
        tools topic topics total totals trace track tracking transaction transactions transfer
        transfers transform translations trash tree trigger triggers try txt type types ui unarchive
        undelete undo unlink unlock unpublish unregister unread unsubscribe until up update updated
        updates upgrade upload uploads upsert uri url urls usage use user users utility validate
        validation value values verification verifications verify version versions view views wait
        watch web webapp webhook webhooks websocket weekly well-known widget widgets with worker
        workers workflow workflows write ws wsdl xml yaml yearly zip
    """,
    # What people try services out with.
    "trials": """
        boom broken crash crashes delay demo echo error example examples explode fail fails failing
        fast fatal flaky hang hello missing oops panic raise raises sleep slow timeout unhandled
        world wrong
    """,
    # What CRMs keep, in the singular and the plural.
    "crm": """
        account accounts activities activity address addresses agreement agreements allocation
        allocations appointment appointments approval approvals article articles asset assets
        assignment assignments association associations attachment attachments attendee attendees
        attribute attributes audience audiences audit balance balances bank billing bills board
        boards booking bookings bounce bounces broadcast broadcasts budget budgets business
        businesses calendar calendars campaign campaigns card cards cart carts case cases catalog
        catalogs channel channels charge charges chat chats checkout checkouts click clicks
        collection collections column columns comment comments companies company complaint
        complaints component components consent consents contact contacts contract contracts
        conversation conversations conversion conversions convert coupon coupons credit creditnotes
        credits currencies currency custom customer customers deal deals deliveries delivery
        department departments discount discounts dispute disputes domain domains email emails
        employee employees engagement engagements enquiry enrichment enrollment enrollments entities
        entity entries entry estimate estimates expense expenses followers following forecast
        forecasts fulfillment fulfillments goal goals holiday holidays identities identity
        individual individuals industries industry installment installments interaction interactions
        inventories inventory invoice invoices issue issues item items journal journals label labels
        lead leads ledger ledgers line lineitem lineitems lines list lists location locations loss
        mail mailbox mailboxes mailing mailings mails manager managers marketing material materials
        meeting meetings membership memberships milestone milestones note notes offer offers
        opportunities opportunity order orders organisation organisations organization organizations
        outcome outcomes owner owners parent participant participants payment payments payout
        payouts people period periods person persons phone phones picklist picklists pipeline
        pipelines position positions post postal posts price pricebook pricebooks prices pricing
        product products project projects properties property prospect prospects purchase purchases
        quote quotes reason reasons receipt receipts recipient recipients record records refund
        refunds relationship relationships reminder reminders resource return returns sale sales
        score scores scoring section sections segment segments sequence sequences shipment shipments
        shipping site sites sku skus sla smtp sms social solution solutions sprint stage stages
        statement statements stock subscriber subscribers subscription subscriptions supplier
        suppliers support survey surveys tag tags tax taxes team teams territories territory ticket
        tickets timesheet timesheets touchpoint touchpoints unit units variant variants vendor
        vendors visit visitor visitors visits warehouse warehouses workspace workspaces
    """,
    # https://developers.hubspot.com/docs/api-reference
    "hubspot": """
        analytics audit-logs behavioral blogs blog-posts blogs-settings business-units cms
        communications communication-preferences conversations crm ctas currencies custom-channels
        definitions domains engagements events exports extensions feature-flags feedback_submissions
        filemanager flows forms-embed goal_targets hubdb imports integrations landing-pages limits
        line_items line-items marketing-emails object-library pipelines postal_mail
        property-validations schemas sequences site-pages source-code subscription-definitions
        timeline transactional url-redirects user-provisioning usage-details videoconferencing
        visitor-identification scheduler creditcard deal-splits forecasts enrollments associate
        primary archive-by-id basic-data gdpr-delete gdpr reconcile groups attribution cards calling
        portal accounting oauth access-tokens refresh-tokens introspect account-info details
        private-apps app-info signed-url import-from-url recording recordings transcripts send-email
        unsubscribe-all email-campaigns memberships join-order records add-and-remove idmapping
        recently-updated recently-created modified associations-schema singlesend batch archive
        upsert labels configurations highest-usage
    """,
    # https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest, Bulk API 2.0, SOAP
    "salesforce": """
        services sobjects query queryall queryAll ingest failedresults successfulresults
        unprocessedrecords composite graph tree batch describe layouts compactlayouts listviews
        recent tooling analytics chatter connect apexrest async limits process rules approvals
        quickactions tabs theme parameterizedsearch search scope recordcount platformevents
        eventschema dedupe jobs job parsedresults externalidfields recordtype recordtypes userinfo
        revoke introspect token soap wsdl metadata deployrequest actions standard custom flow apex
        invocable ui-api record-ui object-info related-list-ui record-defaults consent
        knowledgemanagement support datacategorygroups appmenu localizedvalue lightning wave
        dashboards dataflows datasets cometd deleted updated relevantitems account contact lead
        opportunity opportunitylineitem opportunitycontactrole opportunityteammember
        accountcontactrelation accountteammember asset campaign campaignmember case casecomment
        contract contractlineitem contentdocument contentdocumentlink contentversion emailmessage
        emailtemplate entitlement event eventrelation feeditem group groupmember individual
        knowledge note order orderitem organization permissionset permissionsetassignment pricebook2
        pricebookentry product2 profile quote quotelineitem report servicecontract solution task
        territory user userrole workorder workorderlineitem attachment document folder
        opportunityhistory leadhistory accounthistory contacthistory casehistory fielddefinition
        entitydefinition apexclass apextrigger apexlog asyncapexjob crontrigger loginhistory
    """,
    # https://www.zoho.com/crm/developer/docs/api
    "zoho": """
        accounts activities actions approvals associate_email assignment_rules blueprint bulk
        bulk-read bulk-write business_hours calls campaigns cadences cancel_meetings cancelled
        change_owner clone contacts contact_roles convert coql coupons creator crm currencies
        custom_views deals deleted email_templates emails events features fields files functions
        global_picklists history inventory_templates invoices layouts leads mass_change_owner
        mass_convert mass_delete mass_update merge modules notes notifications org photo pipeline
        portals price_books products profiles purchase_orders quotes recycle_bin related_lists
        related_records roles sales_orders scheduled_jobs scoring_rules send_mail settings solutions
        stages sharing_rules tags tasks taxes territories timelines unblock_email unsubscribe_links
        upsert user_groups users variable_groups variables vendors watch wizards books desk
        oauth contactpersons salesorders purchaseorders bankaccounts chartofaccounts
        customerpayments vendorpayments recurringinvoices creditnotes estimates tickets threads
        agents
    """,
    # https://learn.microsoft.com/en-us/power-apps/developer/data-platform/webapi/reference
    "dynamics": """
        data accounts contacts leads opportunities incidents campaigns campaignresponses
        activitypointers appointments phonecalls emails faxes letters tasks annotations salesorders
        salesorderdetails quotes quotedetails invoices invoicedetails products productpricelevels
        pricelevels competitors contracts lists listmembers systemusers teams businessunits roles
        queues queueitems connections connectionroles customeraddresses transactioncurrencies
        territories subjects knowledgearticles entitlements entitydefinitions
        globaloptionsetdefinitions relationshipdefinitions attributes manytomanyrelationships
        onetomanyrelationships metadata batch ref value count links whoami
        retrievecurrentorganization retrieveversion retrieveprincipalaccess grantaccess modifyaccess
        revokeaccess winopportunity loseopportunity winquote closeincident qualifylead merge
        addmemberlist addlistmemberslist removememberlist microsoft crm xrm fetchxml asyncoperations
        importjobs solutions publishers webresources workflows sdkmessages plugintypes
        pluginassemblies serviceendpoints duplicaterules bulkdeleteoperations savedqueries
        userqueries organizations organization primarycontactid parentcustomerid customerid ownerid
        accountid contactid leadid opportunityid incidentid createmultiple updatemultiple
        upsertmultiple deletemultiple executemultiple companies customers vendors items journals
        salesinvoices salesquotes purchaseinvoices customerpayments generaljournals dimensions
        dimensionvalues
    """,
    # https://api.sap.com: OData services of S/4HANA and Sales Cloud; names are joined words.
    "sap": """
        a c i sap opu odata iwfnd catalogservice businesspartner businesspartners srv api batch
        value count metadata crossreference partner customer supplier address salesorder
        salesorderitem salesorders item items schedule line header pricing element bp tax number
        company organisation bank role roles email phone fax mobile url identification contact
        contacts function department material product plant storage location basic text sales
        delivery billing document purchase order orders outbound inbound quotation quotations
        inquiry contract contracts credit memo debit return returns individual corporate account
        accounts lead leads opportunity opportunities appointment activities task tasks visit ticket
        tickets employee organizational unit service services cust byd collection collections root
        attachment attachments individualcustomercollection corporateaccountcollection
        contactcollection leadcollection opportunitycollection salesquotecollection codataapi
        cccodataapi
    """,
    "others": """
        pipedrive freshsales freshdesk freshworks hubspot hubapi salesforce zoho dynamics sap
        zendesk shopify stripe intercom activecampaign mailchimp klaviyo airtable marketo eloqua
        braze iterable customerio netsuite odoo sugarcrm suitecrm vtiger insightly copper keap
        infusionsoft close attio folk monday asana slack twilio sendgrid mailgun segment rest bulk
        assetdocuments filteredlist leads-partial activitytypes leadchanges deletedleads
        paginatedtokens nextpage stats listmembership ismember smartcampaigns campaign trigger
        schedule programs landingpages adapters automations contactautomations contactlists
        contacttags fieldvalues fieldoptions dealstages dealgroups dealcustomfielddata
        accountcontacts eventtrackingevents tracksite noteable notetypes personfields dealfields
        organizationfields productfields activityfields filters findfirst itemsearch mailmessages
        mailthreads permissionsets roleassignments usersettings legacyteams calllogs
        subscriptionitems conversions admins counts data_attributes data_events articles help_center
        newsfeeds contact_merges visitors reply redact abandoned_checkouts smart_collections
        custom_collections customer_groups draft_orders fulfillment_orders gift_cards
        inventory_items inventory_levels locations metafields price_rules product_listings
        storefront payment_intents payment_methods setup_intents balance_transactions invoiceitems
        credit_notes tax_rates subscription_schedules subscription_items checkout sessions
        billing_portal ephemeral_keys files disputes payouts automation customer-journeys
        file-manager merge-fields interest-categories interests landing-pages campaign-folders
        template-folders ecommerce abandoned-carts facebook-ads batch-webhooks search-members
        member-info activity-feed profile-import profile-merge profile-subscription catalog-items
        catalog-variants tag-groups flows flow-actions flow-messages bases records meta workspace
        sales_accounts sales_activities custom_field_options selector lookup deal_stages deal_types
        deal_reasons cpq_products contact_statuses lead_sources lifecycle_stages business_types
        industry_types territories currencies user_fields organization_fields ticket_fields
        ticket_forms satisfaction_ratings suspended_tickets requests incremental job_statuses
        imports side_conversations restapi suitetalk record v1 metadata-catalog query xmlrpc jsonrpc
        call_kw web dataset execute_kw search_read fields_get module_loader set_relationship
        get_entry_list customobjects customobject custom_object custom_objects bulkread bulkwrite
        catch hook
    """,
}
"""Where the words stand in the documentation of; which of them it is makes no difference."""


@cache
def words() -> frozenset[str]:
    """Return all words, in lower case; joined ones also as they are joined."""
    return frozenset(" ".join(_WORDS.values()).lower().split())
