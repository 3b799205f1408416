/**
 * One Lambda function of a control region, with its own role and its own log group.
 *
 * The role holds what the caller hands in and the right to write to this one log group; no managed
 * policy. The runtime is named, not "latest": a deployment must give the same thing twice.
 */
import { fileURLToPath } from 'node:url';
import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { type PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Runtime } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction, OutputFormat, SourceMapMode } from 'aws-cdk-lib/aws-lambda-nodejs';
import { FilterPattern, LogGroup, MetricFilter, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import {
  type FunctionRole,
  functionName,
  loggedErrorsMetric,
  METRIC_DIMENSION,
  METRIC_NAMESPACE,
} from '../../lib/config/names.ts';
import { BUNDLE_ALIASES, BUNDLE_BANNER, BUNDLE_MAIN_FIELDS, BUNDLE_TARGET } from '../bundling.ts';
import { wildcardAcknowledgements } from '../permissions.ts';

export interface ControlFunctionProps {
  readonly clusterId: string;
  readonly role: FunctionRole;
  readonly description: string;
  readonly memoryMegabytes: number;
  readonly timeoutMs: number;
  readonly environment: { readonly [name: string]: string };
  readonly statements: readonly PolicyStatement[];
  /** Most invocations at once; null = the account's quota. */
  readonly concurrencyMax: number | null;
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export class ControlFunction extends Construct {
  readonly lambda: NodejsFunction;

  constructor(scope: Construct, id: string, props: ControlFunctionProps) {
    super(scope, id);
    const name = functionName(props.clusterId, props.role);
    const logGroup = new LogGroup(this, 'Log', {
      logGroupName: `/aws/lambda/${name}`,
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    new MetricFilter(this, 'LoggedErrors', {
      logGroup,
      filterPattern: FilterPattern.stringValue('$.level', '=', 'ERROR'),
      metricNamespace: METRIC_NAMESPACE,
      metricName: loggedErrorsMetric(props.role),
      metricValue: '1',
      dimensions: { [METRIC_DIMENSION]: '$.service' },
    });
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `What the ${props.role} function may do`,
    });
    for (const statement of props.statements) {
      role.addToPolicy(statement);
    }
    Validations.of(role).acknowledge(...wildcardAcknowledgements(props.statements));
    logGroup.grantWrite(role);
    this.lambda = new NodejsFunction(this, 'Function', {
      functionName: name,
      description: props.description,
      entry: `${ROOT}functions/${props.role}.ts`,
      handler: 'handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: props.memoryMegabytes,
      timeout: Duration.millis(props.timeoutMs),
      role,
      logGroup,
      environment: { NODE_OPTIONS: '--enable-source-maps', ...props.environment },
      ...(props.concurrencyMax === null
        ? {}
        : { reservedConcurrentExecutions: props.concurrencyMax }),
      projectRoot: ROOT,
      depsLockFilePath: `${ROOT}package-lock.json`,
      bundling: {
        format: OutputFormat.ESM,
        target: BUNDLE_TARGET,
        mainFields: [...BUNDLE_MAIN_FIELDS],
        banner: BUNDLE_BANNER,
        minify: true,
        bundleAwsSDK: true,
        sourceMap: true,
        sourceMapMode: SourceMapMode.DEFAULT,
        sourcesContent: false,
        esbuildArgs: Object.fromEntries(
          BUNDLE_ALIASES.map((alias) => [`--alias:${alias.name}`, `${ROOT}${alias.path}`]),
        ),
      },
    });
  }
}
