-- A current TMS database as the jobs meet it in production: the tables they touch and what those refer to.
-- Enums, domains, generated columns, columns nobody here knows, triggers, partial and GIN indexes are on
-- purpose; so are both renamings (scheduled_window_*, ReadyToInvoice and Invoiced).

CREATE DOMAIN record_id AS varchar(100) CHECK (length(VALUE) > 4);
CREATE DOMAIN money_amount AS numeric(19, 4) CHECK (VALUE >= 0);

CREATE TYPE shipment_status_enum AS ENUM ('New', 'PartiallyAssigned', 'Assigned', 'InTransit', 'Delayed',
    'PartiallyCompleted', 'Completed', 'ReadyToInvoice', 'Invoiced', 'Canceled');
CREATE TYPE tender_status_enum AS ENUM ('Offered', 'Accepted', 'Declined', 'Expired');
CREATE TYPE entry_method_enum AS ENUM ('Manual', 'Electronic', 'Import');
CREATE TYPE move_status_enum AS ENUM ('New', 'Assigned', 'InTransit', 'Completed', 'Canceled');
CREATE TYPE coverage_type_enum AS ENUM ('Company', 'OwnerOperator', 'Brokered');
CREATE TYPE stop_status_enum AS ENUM ('New', 'InTransit', 'Completed', 'Canceled');
CREATE TYPE stop_type_enum AS ENUM ('Pickup', 'Delivery', 'SplitPickup', 'SplitDelivery');
CREATE TYPE stop_schedule_type_enum AS ENUM ('Open', 'Appointment');
CREATE TYPE assignment_status_enum AS ENUM ('New', 'InProgress', 'Completed', 'Canceled');
CREATE TYPE ack_status_enum AS ENUM ('Pending', 'Acknowledged', 'Rejected');
CREATE TYPE charge_method_enum AS ENUM ('Flat', 'Distance', 'Percentage');
CREATE TYPE principal_type_enum AS ENUM ('session_user', 'api_key', 'system');
CREATE TYPE sequence_type_enum AS ENUM ('pro_number', 'consolidation', 'invoice', 'work_order');
CREATE TYPE notification_priority_enum AS ENUM ('critical', 'high', 'medium', 'low');
CREATE TYPE notification_channel_enum AS ENUM ('global', 'user', 'role');
CREATE TYPE delivery_status_enum AS ENUM ('pending', 'delivered', 'failed', 'expired');

CREATE FUNCTION unix_now() RETURNS bigint LANGUAGE sql VOLATILE
    AS $$ SELECT CAST(extract(epoch FROM current_timestamp) AS bigint) $$;
CREATE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN NEW.updated_at := unix_now(); RETURN NEW; END $$;

CREATE TABLE business_units (
    id varchar(100) PRIMARY KEY, name varchar(100) NOT NULL, code varchar(10) NOT NULL UNIQUE,
    metadata jsonb NOT NULL DEFAULT '{}', version bigint NOT NULL DEFAULT 0,
    created_at bigint NOT NULL DEFAULT unix_now(), updated_at bigint NOT NULL DEFAULT unix_now());

CREATE TABLE organizations (
    id varchar(100) PRIMARY KEY, business_unit_id varchar(100) NOT NULL REFERENCES business_units,
    name varchar(100) NOT NULL, scac_code varchar(4) NOT NULL, timezone varchar(100) NOT NULL DEFAULT 'America/New_York',
    bucket_name varchar(63) NOT NULL DEFAULT 'default', version bigint NOT NULL DEFAULT 0,
    created_at bigint NOT NULL DEFAULT unix_now(), updated_at bigint NOT NULL DEFAULT unix_now());

CREATE TABLE users (
    id varchar(100) NOT NULL UNIQUE, business_unit_id varchar(100) NOT NULL REFERENCES business_units,
    organization_id varchar(100) NOT NULL REFERENCES organizations, name varchar(255) NOT NULL,
    username varchar(20) NOT NULL, email_address varchar(255) NOT NULL UNIQUE, password varchar(255) NOT NULL,
    timezone varchar(50) NOT NULL DEFAULT 'America/New_York', status varchar(20) NOT NULL DEFAULT 'Active',
    must_change_password boolean NOT NULL DEFAULT false, search_vector tsvector
        GENERATED ALWAYS AS (to_tsvector('simple', name || ' ' || email_address)) STORED,
    version bigint NOT NULL DEFAULT 0, created_at bigint NOT NULL DEFAULT unix_now(),
    updated_at bigint NOT NULL DEFAULT unix_now(), PRIMARY KEY (id, business_unit_id, organization_id));

-- Master data and what unknown columns of shipments refer to: all alike.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['customers', 'service_types', 'shipment_types', 'locations', 'commodities',
        'accessorial_charges', 'formula_templates', 'orders', 'rate_quotes', 'workers', 'tractors'] LOOP
        EXECUTE format('CREATE TABLE %I (
            id varchar(100) NOT NULL, business_unit_id varchar(100) NOT NULL REFERENCES business_units,
            organization_id varchar(100) NOT NULL REFERENCES organizations, code varchar(100) NOT NULL,
            name varchar(255) NOT NULL, status varchar(20) NOT NULL DEFAULT ''Active'',
            search_vector tsvector GENERATED ALWAYS AS (to_tsvector(''simple'', code || '' '' || name)) STORED,
            version bigint NOT NULL DEFAULT 0, created_at bigint NOT NULL DEFAULT unix_now(),
            updated_at bigint NOT NULL DEFAULT unix_now(),
            PRIMARY KEY (id, business_unit_id, organization_id))', name);
        EXECUTE format('CREATE INDEX ON %I USING gin (search_vector)', name);
    END LOOP;
END $$;

CREATE TABLE shipments (
    id record_id NOT NULL,
    business_unit_id varchar(100) NOT NULL REFERENCES business_units,
    organization_id varchar(100) NOT NULL REFERENCES organizations,
    service_type_id varchar(100) NOT NULL, shipment_type_id varchar(100) NOT NULL,
    customer_id varchar(100) NOT NULL, tractor_type_id varchar(100), trailer_type_id varchar(100),
    owner_id varchar(100) REFERENCES users (id), entered_by_id varchar(100) REFERENCES users (id),
    canceled_by_id varchar(100) REFERENCES users (id),
    formula_template_id varchar(100) NOT NULL, consolidation_group_id varchar(100), order_id varchar(100),
    rate_quote_id varchar(100), rate_agreement_id varchar(100), rate_agreement_rule_id varchar(100),
    rate_override_amount money_amount, rate_override_reason text, rate_override_by_id varchar(100),
    status shipment_status_enum NOT NULL DEFAULT 'New',
    tender_status tender_status_enum,
    entry_method entry_method_enum NOT NULL DEFAULT 'Manual',
    pro_number varchar(100) NOT NULL, bol varchar(100), cancel_reason varchar(100), canceled_at bigint,
    rating_unit bigint NOT NULL DEFAULT 1 CHECK (rating_unit > 0),
    base_rate numeric(19, 4) NOT NULL DEFAULT 0,
    freight_charge_amount money_amount, other_charge_amount money_amount, total_charge_amount money_amount,
    rating_detail jsonb,
    fuel_surcharge_locked boolean NOT NULL DEFAULT false, rate_locked boolean NOT NULL DEFAULT false,
    auto_rated boolean NOT NULL DEFAULT false,
    envelope_length_feet numeric(10, 2), envelope_width_feet numeric(10, 2), envelope_height_feet numeric(10, 2),
    pieces bigint CHECK (pieces > 0), weight bigint CHECK (weight > 0),
    temperature_min smallint, temperature_max smallint,
    actual_ship_date bigint, actual_delivery_date bigint,
    billing_transfer_status varchar(50), transferred_to_billing_at bigint, marked_ready_to_bill_at bigint,
    billed_at bigint,
    search_vector tsvector GENERATED ALWAYS AS (
        setweight(to_tsvector('simple', pro_number), 'A') || setweight(to_tsvector('simple', coalesce(bol, '')), 'B')
    ) STORED,
    version bigint NOT NULL DEFAULT 0, created_at bigint DEFAULT unix_now(), updated_at bigint DEFAULT unix_now(),
    PRIMARY KEY (id, business_unit_id, organization_id),
    FOREIGN KEY (customer_id, business_unit_id, organization_id) REFERENCES customers,
    FOREIGN KEY (service_type_id, business_unit_id, organization_id) REFERENCES service_types,
    FOREIGN KEY (shipment_type_id, business_unit_id, organization_id) REFERENCES shipment_types,
    FOREIGN KEY (formula_template_id, business_unit_id, organization_id) REFERENCES formula_templates,
    FOREIGN KEY (order_id, business_unit_id, organization_id) REFERENCES orders,
    FOREIGN KEY (rate_quote_id, business_unit_id, organization_id) REFERENCES rate_quotes);
CREATE UNIQUE INDEX idx_shipments_pro_number ON shipments (pro_number, organization_id);
CREATE UNIQUE INDEX idx_shipments_rate_quote ON shipments (rate_quote_id) WHERE rate_quote_id IS NOT NULL;
CREATE INDEX idx_shipments_search ON shipments USING gin (search_vector);
CREATE INDEX idx_shipments_rating ON shipments USING gin (rating_detail jsonb_path_ops);
CREATE INDEX idx_shipments_new ON shipments (organization_id, created_at) WHERE status = 'New';
CREATE INDEX idx_shipments_bol ON shipments (lower(bol)) WHERE bol IS NOT NULL;
CREATE TRIGGER shipments_touch BEFORE UPDATE ON shipments FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE shipment_moves (
    id record_id NOT NULL, business_unit_id varchar(100) NOT NULL, organization_id varchar(100) NOT NULL,
    shipment_id varchar(100) NOT NULL, status move_status_enum NOT NULL DEFAULT 'New',
    loaded boolean NOT NULL DEFAULT true, sequence integer NOT NULL DEFAULT 0 CHECK (sequence >= 0),
    distance double precision, distance_source varchar(50), distance_provider varchar(50),
    distance_calculated_at bigint, distance_metadata jsonb,
    coverage_type coverage_type_enum NOT NULL DEFAULT 'Company',
    version bigint NOT NULL DEFAULT 0, created_at bigint NOT NULL DEFAULT unix_now(),
    updated_at bigint NOT NULL DEFAULT unix_now(),
    PRIMARY KEY (id, business_unit_id, organization_id),
    FOREIGN KEY (shipment_id, business_unit_id, organization_id) REFERENCES shipments ON DELETE CASCADE);
CREATE INDEX idx_shipment_moves_shipment ON shipment_moves (shipment_id, organization_id);
CREATE TRIGGER shipment_moves_touch BEFORE UPDATE ON shipment_moves
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE stops (
    id record_id NOT NULL, business_unit_id varchar(100) NOT NULL, organization_id varchar(100) NOT NULL,
    shipment_move_id varchar(100) NOT NULL, location_id varchar(100) NOT NULL,
    status stop_status_enum NOT NULL DEFAULT 'New', type stop_type_enum NOT NULL DEFAULT 'Pickup',
    schedule_type stop_schedule_type_enum NOT NULL DEFAULT 'Open',
    sequence integer NOT NULL DEFAULT 0 CHECK (sequence >= 0), pieces bigint, weight bigint,
    scheduled_window_start bigint NOT NULL, scheduled_window_end bigint,
    actual_arrival bigint, actual_departure bigint, address_line varchar(200),
    count_late_override boolean, count_detention_override boolean,
    version bigint NOT NULL DEFAULT 0, created_at bigint NOT NULL DEFAULT unix_now(),
    updated_at bigint NOT NULL DEFAULT unix_now(),
    PRIMARY KEY (id, business_unit_id, organization_id),
    CHECK (scheduled_window_end IS NULL OR scheduled_window_end >= scheduled_window_start),
    FOREIGN KEY (shipment_move_id, business_unit_id, organization_id) REFERENCES shipment_moves ON DELETE CASCADE,
    FOREIGN KEY (location_id, business_unit_id, organization_id) REFERENCES locations);
CREATE INDEX idx_stops_move ON stops (shipment_move_id, organization_id);
CREATE TRIGGER stops_touch BEFORE UPDATE ON stops FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE assignments (
    id record_id NOT NULL, business_unit_id varchar(100) NOT NULL, organization_id varchar(100) NOT NULL,
    shipment_move_id varchar(100) NOT NULL, primary_worker_id varchar(100), secondary_worker_id varchar(100),
    tractor_id varchar(100), trailer_id varchar(100), status assignment_status_enum NOT NULL DEFAULT 'New',
    ack_status ack_status_enum NOT NULL DEFAULT 'Pending', archived_at bigint,
    version bigint NOT NULL DEFAULT 0, created_at bigint NOT NULL DEFAULT unix_now(),
    updated_at bigint NOT NULL DEFAULT unix_now(),
    PRIMARY KEY (id, business_unit_id, organization_id),
    FOREIGN KEY (shipment_move_id, business_unit_id, organization_id) REFERENCES shipment_moves ON DELETE CASCADE,
    FOREIGN KEY (primary_worker_id, business_unit_id, organization_id) REFERENCES workers,
    FOREIGN KEY (tractor_id, business_unit_id, organization_id) REFERENCES tractors);
CREATE UNIQUE INDEX idx_assignments_current ON assignments (shipment_move_id, organization_id)
    WHERE archived_at IS NULL;

CREATE TABLE shipment_commodities (
    id record_id NOT NULL, business_unit_id varchar(100) NOT NULL, organization_id varchar(100) NOT NULL,
    shipment_id varchar(100) NOT NULL, commodity_id varchar(100) NOT NULL,
    weight bigint NOT NULL CHECK (weight >= 1), pieces bigint NOT NULL CHECK (pieces >= 1),
    length_feet numeric(10, 2), width_feet numeric(10, 2), height_feet numeric(10, 2),
    version bigint NOT NULL DEFAULT 0, created_at bigint NOT NULL DEFAULT unix_now(),
    updated_at bigint NOT NULL DEFAULT unix_now(),
    PRIMARY KEY (id, business_unit_id, organization_id),
    UNIQUE (shipment_id, commodity_id, organization_id),
    FOREIGN KEY (shipment_id, business_unit_id, organization_id) REFERENCES shipments ON DELETE CASCADE,
    FOREIGN KEY (commodity_id, business_unit_id, organization_id) REFERENCES commodities);

CREATE TABLE additional_charges (
    id record_id NOT NULL, business_unit_id varchar(100) NOT NULL, organization_id varchar(100) NOT NULL,
    shipment_id varchar(100) NOT NULL, accessorial_charge_id varchar(100) NOT NULL,
    unit smallint NOT NULL CHECK (unit >= 1), method charge_method_enum NOT NULL, amount numeric(19, 4) NOT NULL,
    is_system_generated boolean NOT NULL DEFAULT false, fuel_surcharge_program_id varchar(100),
    fuel_surcharge_detail jsonb, detention_occurrence_id varchar(100),
    rate_source varchar(50), rate_detail jsonb,
    version bigint NOT NULL DEFAULT 0, created_at bigint NOT NULL DEFAULT unix_now(),
    updated_at bigint NOT NULL DEFAULT unix_now(),
    PRIMARY KEY (id, business_unit_id, organization_id),
    FOREIGN KEY (shipment_id, business_unit_id, organization_id) REFERENCES shipments ON DELETE CASCADE,
    FOREIGN KEY (accessorial_charge_id, business_unit_id, organization_id) REFERENCES accessorial_charges);
CREATE UNIQUE INDEX idx_additional_charges_detention ON additional_charges (detention_occurrence_id)
    WHERE detention_occurrence_id IS NOT NULL;

CREATE TABLE shipment_controls (
    id record_id NOT NULL, business_unit_id varchar(100) NOT NULL REFERENCES business_units,
    organization_id varchar(100) NOT NULL UNIQUE REFERENCES organizations,
    auto_cancel_shipments boolean NOT NULL DEFAULT false, auto_cancel_shipments_threshold smallint DEFAULT 30,
    auto_delay_shipments boolean NOT NULL DEFAULT true, max_shipment_weight_limit integer NOT NULL DEFAULT 80000,
    version bigint NOT NULL DEFAULT 0, created_at bigint NOT NULL DEFAULT unix_now(),
    updated_at bigint NOT NULL DEFAULT unix_now(), PRIMARY KEY (id, business_unit_id, organization_id));
CREATE TRIGGER shipment_controls_touch BEFORE UPDATE ON shipment_controls
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE data_retention (
    id record_id NOT NULL, business_unit_id varchar(100) NOT NULL REFERENCES business_units,
    organization_id varchar(100) NOT NULL UNIQUE REFERENCES organizations,
    audit_retention_period integer NOT NULL DEFAULT 120, document_retention_period integer NOT NULL DEFAULT 0,
    notification_retention_period integer NOT NULL DEFAULT 0,
    version bigint NOT NULL DEFAULT 0, created_at bigint NOT NULL DEFAULT unix_now(),
    updated_at bigint NOT NULL DEFAULT unix_now(), PRIMARY KEY (id, business_unit_id, organization_id));
CREATE TRIGGER data_retention_touch BEFORE UPDATE ON data_retention
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE sequences (
    id record_id NOT NULL, business_unit_id varchar(100) NOT NULL REFERENCES business_units,
    organization_id varchar(100) NOT NULL REFERENCES organizations,
    sequence_type sequence_type_enum NOT NULL, year smallint NOT NULL,
    month smallint NOT NULL CHECK (month BETWEEN 1 AND 12), current_sequence bigint NOT NULL DEFAULT 0,
    last_generated bigint NOT NULL DEFAULT unix_now(), version bigint NOT NULL DEFAULT 0,
    created_at bigint NOT NULL DEFAULT unix_now(), updated_at bigint NOT NULL DEFAULT unix_now(),
    PRIMARY KEY (id, business_unit_id, organization_id),
    UNIQUE (sequence_type, organization_id, business_unit_id, year, month));

CREATE TABLE audit_entries (
    id record_id NOT NULL, business_unit_id varchar(100) NOT NULL REFERENCES business_units,
    organization_id varchar(100) NOT NULL REFERENCES organizations,
    user_id varchar(100) REFERENCES users (id),
    principal_type principal_type_enum NOT NULL DEFAULT 'session_user', principal_id varchar(100) NOT NULL,
    api_key_id varchar(100), resource varchar(50) NOT NULL, resource_id varchar(100) NOT NULL,
    operation varchar(50) NOT NULL, timestamp bigint NOT NULL DEFAULT unix_now(),
    changes jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(changes) = 'object'),
    previous_state jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(previous_state) = 'object'),
    current_state jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(current_state) = 'object'),
    metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    correlation_id varchar(100), comment text, category varchar(50) NOT NULL DEFAULT 'system',
    ip_address varchar(45), user_agent varchar(255),
    sensitive_data boolean NOT NULL DEFAULT false, critical boolean NOT NULL DEFAULT false,
    PRIMARY KEY (id, business_unit_id, organization_id),
    CONSTRAINT audit_entries_principal CHECK (
        CASE principal_type
        WHEN 'session_user' THEN user_id IS NOT NULL AND principal_id = user_id AND api_key_id IS NULL
        WHEN 'api_key' THEN user_id IS NULL AND api_key_id IS NOT NULL AND api_key_id = principal_id
        ELSE user_id IS NULL AND api_key_id IS NULL END));
CREATE INDEX idx_audit_entries_timestamp ON audit_entries USING brin (timestamp);
CREATE INDEX idx_audit_entries_resource ON audit_entries (resource, resource_id);
CREATE INDEX idx_audit_entries_critical ON audit_entries (organization_id, timestamp) WHERE critical;
CREATE INDEX idx_audit_entries_metadata ON audit_entries USING gin (metadata);
CREATE FUNCTION audit_entries_append_only() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'audit_entries is append-only: % is not allowed', TG_OP; END $$;
CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION audit_entries_append_only();

CREATE TABLE notifications (
    id record_id NOT NULL, business_unit_id varchar(100) NOT NULL REFERENCES business_units,
    organization_id varchar(100) NOT NULL REFERENCES organizations,
    target_user_id varchar(100) REFERENCES users (id), target_role_id varchar(100),
    event_type varchar(100) NOT NULL, priority notification_priority_enum NOT NULL DEFAULT 'medium',
    channel notification_channel_enum NOT NULL DEFAULT 'user', title varchar(255) NOT NULL, message text NOT NULL,
    data jsonb, related_entities jsonb, actions jsonb, expires_at bigint, delivered_at bigint, read_at bigint,
    dismissed_at bigint, delivery_status delivery_status_enum NOT NULL DEFAULT 'pending',
    retry_count integer NOT NULL DEFAULT 0, max_retries integer NOT NULL DEFAULT 3,
    source varchar(100) NOT NULL, job_id varchar(255), correlation_id varchar(100), tags text[] DEFAULT '{}',
    version bigint NOT NULL DEFAULT 0, created_at bigint NOT NULL DEFAULT unix_now(),
    updated_at bigint NOT NULL DEFAULT unix_now(), PRIMARY KEY (id, business_unit_id, organization_id),
    CHECK (retry_count <= max_retries), CHECK (channel <> 'user' OR target_user_id IS NOT NULL));
CREATE INDEX idx_notifications_unread ON notifications (target_user_id, created_at) WHERE read_at IS NULL;
CREATE INDEX idx_notifications_tags ON notifications USING gin (tags);
CREATE TRIGGER notifications_touch BEFORE UPDATE ON notifications
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
