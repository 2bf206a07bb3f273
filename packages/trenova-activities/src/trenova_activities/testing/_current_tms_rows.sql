-- Two tenants with the same shape of data; :tenant and :n are replaced before it runs.
INSERT INTO business_units (id, name, code) VALUES ('bu_:tenant', 'Business Unit :tenant', 'BU:n');
INSERT INTO organizations (id, business_unit_id, name, scac_code)
    VALUES ('org_:tenant', 'bu_:tenant', 'Carrier :tenant', 'TR0:n');
INSERT INTO users (id, business_unit_id, organization_id, name, username, email_address, password) VALUES
    ('usr_:tenant', 'bu_:tenant', 'org_:tenant', 'Dana Whitfield', 'dana:n', 'dana@:tenant.example', '-'),
    ('usr_:tenant_entry', 'bu_:tenant', 'org_:tenant', 'Luis Ortega', 'luis:n', 'luis@:tenant.example', '-');

INSERT INTO customers (id, business_unit_id, organization_id, code, name)
    VALUES ('cus_:tenant', 'bu_:tenant', 'org_:tenant', 'LAKE', 'Lakeside Foods');
INSERT INTO service_types (id, business_unit_id, organization_id, code, name)
    VALUES ('svt_:tenant', 'bu_:tenant', 'org_:tenant', 'STD', 'Standard');
INSERT INTO shipment_types (id, business_unit_id, organization_id, code, name)
    VALUES ('sht_:tenant', 'bu_:tenant', 'org_:tenant', 'TL', 'Truckload');
INSERT INTO formula_templates (id, business_unit_id, organization_id, code, name)
    VALUES ('ft_:tenant', 'bu_:tenant', 'org_:tenant', 'FLAT', 'Flat rate');
INSERT INTO orders (id, business_unit_id, organization_id, code, name)
    VALUES ('ord_:tenant', 'bu_:tenant', 'org_:tenant', 'PO-8841', 'Purchase order 8841');
INSERT INTO rate_quotes (id, business_unit_id, organization_id, code, name)
    VALUES ('rq_:tenant', 'bu_:tenant', 'org_:tenant', 'Q-100', 'Quote 100');
INSERT INTO workers (id, business_unit_id, organization_id, code, name)
    VALUES ('wrk_:tenant', 'bu_:tenant', 'org_:tenant', 'D101', 'Sam Driver');
INSERT INTO tractors (id, business_unit_id, organization_id, code, name)
    VALUES ('tr_:tenant', 'bu_:tenant', 'org_:tenant', 'T101', 'Tractor 101');
INSERT INTO locations (id, business_unit_id, organization_id, code, name) VALUES
    ('loc_:tenant_chi', 'bu_:tenant', 'org_:tenant', 'CHI', 'Chicago, IL'),
    ('loc_:tenant_ind', 'bu_:tenant', 'org_:tenant', 'IND', 'Indianapolis, IN'),
    ('loc_:tenant_atl', 'bu_:tenant', 'org_:tenant', 'ATL', 'Atlanta, GA');
INSERT INTO commodities (id, business_unit_id, organization_id, code, name) VALUES
    ('com_:tenant_oats', 'bu_:tenant', 'org_:tenant', 'OATS', 'Rolled oats'),
    ('com_:tenant_milk', 'bu_:tenant', 'org_:tenant', 'MILK', 'Milk powder');
INSERT INTO accessorial_charges (id, business_unit_id, organization_id, code, name) VALUES
    ('acc_:tenant_liftgate', 'bu_:tenant', 'org_:tenant', 'LFT', 'Liftgate'),
    ('acc_:tenant_fuel', 'bu_:tenant', 'org_:tenant', 'FSC', 'Fuel surcharge');

INSERT INTO shipments (id, business_unit_id, organization_id, service_type_id, shipment_type_id, customer_id,
    owner_id, entered_by_id, formula_template_id, order_id, rate_quote_id, rate_agreement_id, rate_override_amount,
    status, tender_status, entry_method, pro_number, bol, rating_unit, base_rate, freight_charge_amount,
    other_charge_amount, total_charge_amount, rating_detail, rate_locked, auto_rated, envelope_length_feet,
    pieces, weight, temperature_min, temperature_max, actual_ship_date, billing_transfer_status, version,
    created_at, updated_at)
VALUES ('shp_:tenant', 'bu_:tenant', 'org_:tenant', 'svt_:tenant', 'sht_:tenant', 'cus_:tenant', 'usr_:tenant_entry',
    'usr_:tenant_entry', 'ft_:tenant', 'ord_:tenant', 'rq_:tenant', 'ra_:tenant', 1900, 'InTransit', 'Accepted',
    'Electronic', 'S2501120001104233', 'BOL-77310', 1, 1800, 1850.2500, 235.0000, 2085.2500,
    '{"lines": [{"kind": "linehaul", "amount": "1850.25"}]}', true, true, 48.5, 44, 38200, 34, 40, 1735700000,
    'Pending', 7, 1735600000, 1735700000);
INSERT INTO shipments (id, business_unit_id, organization_id, service_type_id, shipment_type_id, customer_id,
    formula_template_id, status, pro_number, freight_charge_amount, other_charge_amount, total_charge_amount,
    cancel_reason, canceled_at, canceled_by_id, created_at)
VALUES
    ('shp_:tenant_invoiced', 'bu_:tenant', 'org_:tenant', 'svt_:tenant', 'sht_:tenant', 'cus_:tenant',
    'ft_:tenant', 'Invoiced', 'S2501120002884112', 900, 0, 900, NULL, NULL, NULL, 1735600000),
    ('shp_:tenant_canceled', 'bu_:tenant', 'org_:tenant', 'svt_:tenant', 'sht_:tenant', 'cus_:tenant',
    'ft_:tenant', 'Canceled', 'S2501120003550917', 700, 0, 700, 'Customer canceled', 1735650000, 'usr_:tenant',
    1735600000);

INSERT INTO shipment_moves (id, business_unit_id, organization_id, shipment_id, status, loaded, sequence, distance,
    distance_source, distance_provider, distance_calculated_at, distance_metadata, coverage_type)
VALUES
    ('smv_:tenant_0', 'bu_:tenant', 'org_:tenant', 'shp_:tenant', 'Completed', true, 0, 182.4, 'Provider', 'PCMiler',
    1735600100, '{"routing": "practical"}', 'Company'),
    ('smv_:tenant_1', 'bu_:tenant', 'org_:tenant', 'shp_:tenant', 'InTransit', true, 1, 533.1, 'Manual', NULL, NULL,
    NULL, 'OwnerOperator'),
    ('smv_:tenant_c', 'bu_:tenant', 'org_:tenant', 'shp_:tenant_canceled', 'Canceled', false, 0, NULL, NULL, NULL,
    NULL, NULL, 'Company');
INSERT INTO stops (id, business_unit_id, organization_id, shipment_move_id, location_id, status, type, schedule_type,
    sequence, pieces, weight, scheduled_window_start, scheduled_window_end, actual_arrival, actual_departure,
    address_line, count_late_override)
VALUES
    ('stp_:tenant_00', 'bu_:tenant', 'org_:tenant', 'smv_:tenant_0', 'loc_:tenant_chi', 'Completed', 'Pickup',
    'Appointment', 0, 44, 38200, 1735689600, 1735693200, 1735689500, 1735693000, '400 W Lake St', true),
    ('stp_:tenant_01', 'bu_:tenant', 'org_:tenant', 'smv_:tenant_0', 'loc_:tenant_ind', 'Completed', 'SplitDelivery',
    'Open', 1, 20, 17000, 1735704000, 1735707600, 1735704100, 1735707000, '1 Monument Cir', NULL),
    ('stp_:tenant_02', 'bu_:tenant', 'org_:tenant', 'smv_:tenant_0', 'loc_:tenant_ind', 'Completed', 'Delivery',
    'Open', 2, NULL, NULL, 1735711200, NULL, NULL, NULL, NULL, NULL),
    ('stp_:tenant_10', 'bu_:tenant', 'org_:tenant', 'smv_:tenant_1', 'loc_:tenant_ind', 'Completed', 'Pickup',
    'Open', 0, 24, 21200, 1735718400, 1735722000, 1735718300, 1735721000, '1 Monument Cir', NULL),
    ('stp_:tenant_11', 'bu_:tenant', 'org_:tenant', 'smv_:tenant_1', 'loc_:tenant_atl', 'InTransit', 'SplitDelivery',
    'Appointment', 1, 12, 10600, 1735754400, 1735758000, NULL, NULL, '265 Park Ave W NW', NULL),
    ('stp_:tenant_12', 'bu_:tenant', 'org_:tenant', 'smv_:tenant_1', 'loc_:tenant_atl', 'New', 'Delivery',
    'Appointment', 2, 12, 10600, 1735761600, 1735765200, NULL, NULL, '225 Baker St NW', NULL),
    ('stp_:tenant_c0', 'bu_:tenant', 'org_:tenant', 'smv_:tenant_c', 'loc_:tenant_chi', 'Canceled', 'Pickup',
    'Open', 0, NULL, NULL, 1735689600, NULL, NULL, NULL, NULL, NULL),
    ('stp_:tenant_c1', 'bu_:tenant', 'org_:tenant', 'smv_:tenant_c', 'loc_:tenant_atl', 'Canceled', 'Delivery',
    'Open', 1, NULL, NULL, 1735761600, NULL, NULL, NULL, NULL, NULL);
INSERT INTO assignments (id, business_unit_id, organization_id, shipment_move_id, primary_worker_id, tractor_id,
    status, ack_status, archived_at)
VALUES
    ('asn_:tenant_old', 'bu_:tenant', 'org_:tenant', 'smv_:tenant_0', 'wrk_:tenant', 'tr_:tenant', 'Canceled',
    'Rejected', 1735680000),
    ('asn_:tenant_0', 'bu_:tenant', 'org_:tenant', 'smv_:tenant_0', 'wrk_:tenant', 'tr_:tenant', 'Completed',
    'Acknowledged', NULL),
    ('asn_:tenant_1', 'bu_:tenant', 'org_:tenant', 'smv_:tenant_1', 'wrk_:tenant', 'tr_:tenant', 'InProgress',
    'Acknowledged', NULL);

INSERT INTO shipment_commodities (id, business_unit_id, organization_id, shipment_id, commodity_id, weight, pieces,
    length_feet, width_feet, height_feet)
VALUES
    ('sc_:tenant_0', 'bu_:tenant', 'org_:tenant', 'shp_:tenant', 'com_:tenant_oats', 20200, 22, 4, 3.33, 5.5),
    ('sc_:tenant_1', 'bu_:tenant', 'org_:tenant', 'shp_:tenant', 'com_:tenant_milk', 18000, 22, 4, 3.33, 4);
INSERT INTO additional_charges (id, business_unit_id, organization_id, shipment_id, accessorial_charge_id, unit,
    method, amount, is_system_generated, fuel_surcharge_program_id, fuel_surcharge_detail, detention_occurrence_id)
VALUES
    ('ac_:tenant_0', 'bu_:tenant', 'org_:tenant', 'shp_:tenant', 'acc_:tenant_liftgate', 1, 'Flat', 85, false, NULL,
    NULL, 'det_:tenant'),
    ('ac_:tenant_1', 'bu_:tenant', 'org_:tenant', 'shp_:tenant', 'acc_:tenant_fuel', 1, 'Flat', 150, true,
    'fsp_:tenant', '{"index": "EIA", "price": "3.561"}', NULL);

INSERT INTO shipment_controls (id, business_unit_id, organization_id, auto_cancel_shipments,
    auto_cancel_shipments_threshold) VALUES ('sctl_:tenant', 'bu_:tenant', 'org_:tenant', true, 30);
INSERT INTO data_retention (id, business_unit_id, organization_id, audit_retention_period)
    VALUES ('dr_:tenant', 'bu_:tenant', 'org_:tenant', 120);
INSERT INTO sequences (id, business_unit_id, organization_id, sequence_type, year, month, current_sequence)
    VALUES ('seq_:tenant', 'bu_:tenant', 'org_:tenant', 'pro_number', 2025, 1, 3);
INSERT INTO audit_entries (id, business_unit_id, organization_id, user_id, principal_type, principal_id, api_key_id,
    resource, resource_id, operation, timestamp)
VALUES
    ('ae_:tenant_user', 'bu_:tenant', 'org_:tenant', 'usr_:tenant', 'session_user', 'usr_:tenant', NULL, 'shipment',
    'shp_:tenant', 'create', 1735600000),
    ('ae_:tenant_key', 'bu_:tenant', 'org_:tenant', NULL, 'api_key', 'key_:tenant', 'key_:tenant', 'shipment',
    'shp_:tenant', 'update', 1735600100),
    ('ae_:tenant_system', 'bu_:tenant', 'org_:tenant', NULL, 'system', 'system', NULL, 'shipment', 'shp_:tenant',
    'update', 1735600200);
INSERT INTO notifications (id, business_unit_id, organization_id, target_user_id, event_type, title, message, source)
    VALUES ('notif_:tenant', 'bu_:tenant', 'org_:tenant', 'usr_:tenant', 'shipment.delayed', 'Shipment delayed',
    'S2501120001104233 is running late.', 'shipment_service');
